import { resolve } from 'node:path';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { milliseconds } from '../../../components/milliseconds.ts';
import { checkRange, named, wholeNumber } from '../../../components/whole-number.ts';

export interface SqlitePubSubSettings {
  readonly path: string;
  readonly group: string;
  readonly concurrency: number;
  readonly redeliverMs: number;
  readonly maxRedeliverMs: number;
  readonly leaseMs: number;
  readonly maxMessages: number;
  readonly maxMessageBytes: number;
  /** Undefined: never. */
  readonly forgetGroupsAfterMs: number | undefined;
  readonly timeoutMs: number;
}

/** @throws Error that names the item, its value and what may stand there. */
export function sqlitePubSubSettings(
  settings: ComponentSettings,
  names: { readonly appId: string },
): SqlitePubSubSettings {
  const redeliverMs = within(settings, 'redeliverInterval', milliseconds, [100, 1, 600_000]);
  const forgetGroupsAfterMs = within(settings, 'forgetGroupsAfter', milliseconds, [0, 0, 2 ** 48]);
  if (forgetGroupsAfterMs > 0 && forgetGroupsAfterMs < 60_000) {
    throw new Error(
      `metadata forgetGroupsAfter must be at least 1m, or 0 for never, not ${forgetGroupsAfterMs} ms`,
    );
  }
  const least = Math.max(10_000, redeliverMs);
  return {
    path: pathOf(settings),
    group: settings.text('consumerID') ?? names.appId,
    concurrency: within(settings, 'concurrency', wholeNumber, [10, 1, 1_000]),
    redeliverMs,
    maxRedeliverMs: within(settings, 'maxRedeliverInterval', milliseconds, [
      least,
      redeliverMs,
      600_000,
    ]),
    leaseMs: within(settings, 'leaseDuration', milliseconds, [10_000, 1_000, 600_000]),
    maxMessages: within(settings, 'maxMessages', wholeNumber, [100_000, 1, 10_000_000]),
    maxMessageBytes: within(settings, 'maxMessageBytes', wholeNumber, [2 ** 24, 1, 2 ** 28]),
    forgetGroupsAfterMs: forgetGroupsAfterMs === 0 ? undefined : forgetGroupsAfterMs,
    timeoutMs: within(settings, 'timeout', milliseconds, [10_000, 100, 600_000]),
  };
}

/** A path, or SQLite's `file:` form without parameters. */
function pathOf(settings: ComponentSettings): string {
  const given = settings.text('connectionString');
  if (given === undefined) {
    throw new Error(
      'metadata connectionString must be given: the path of a file that all sidecars of the machine can write',
    );
  }
  const path = given.replace(/^file:/, '');
  if (path === ':memory:' || path === '' || path.includes('?')) {
    throw new Error(
      `metadata connectionString must be the path of a file, which other sidecars can open too, not "${given}"`,
    );
  }
  return resolve(path);
}

function within(
  settings: ComponentSettings,
  name: string,
  read: (settings: ComponentSettings, name: string, byDefault: number) => number,
  [byDefault, least, most]: readonly [number, number, number],
): number {
  const value = read(settings, name, byDefault);
  const unit = read === milliseconds ? ' ms' : '';
  checkRange(named(settings, name), value, { byDefault, least, most }, unit);
  return value;
}
