import type { DeadChoice } from '@holdfast/messaging';
import { FlagError } from '../flags/flag.ts';
import type { StoreOptions } from './open-store.ts';

/** As commander hands them over: texts, or absent. */
export interface DeadOptions extends StoreOptions {
  readonly topic?: string;
  readonly reason?: string;
  readonly all?: boolean;
  readonly each?: boolean;
  readonly limit?: string;
  readonly perSecond?: string;
  readonly dryRun?: boolean;
  readonly body?: string;
  readonly header?: readonly string[];
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Which letters an action that changes something is for. Nothing said is not everything meant. */
export function choiceOf(
  action: string,
  ids: readonly string[],
  { topic, reason, all }: DeadOptions,
): DeadChoice {
  const some = ids.length > 0 || topic !== undefined || reason !== undefined;
  if (!some && all !== true) {
    throw new FlagError(
      `\`dead ${action}\` needs ids, --topic, --reason, or --all for every letter.`,
    );
  }
  if (some && all === true) {
    throw new FlagError('--all is every letter: leave it out, or the ids, --topic and --reason.');
  }
  return {
    ...(ids.length > 0 && { ids }),
    ...(topic !== undefined && { topic }),
    ...(reason !== undefined && { reason }),
  };
}

export function wholeNumber(
  flag: string,
  text: string | undefined,
  fallback: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new FlagError(`${flag} must be a whole number from 1 to ${most}, not "${text}".`);
}
