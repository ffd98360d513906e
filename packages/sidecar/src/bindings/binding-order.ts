import type { Logger } from '@holdfast/telemetry/log';
import { writeJson } from '../go-json/write-json.ts';

/** What an application's answer to an event has for output bindings. */
export interface BindingOrder {
  readonly to: readonly string[];
  readonly data: unknown;
  /** Side by side; else one after the other, up to the first that fails. */
  readonly parallel: boolean;
  /** What the binding is answered, in Base64. */
  readonly answer: string;
}

/** Carries it out; a failure is told, and does not make the event one that has failed, as in Dapr. */
export async function followOrder(
  { data, parallel, to }: Omit<BindingOrder, 'answer'>,
  put: (binding: string, data: Buffer) => Promise<unknown>,
  log: Logger,
): Promise<void> {
  if (to.length === 0) return;
  const json = Buffer.from(writeJson(data ?? null));
  const one = (binding: string) =>
    put(binding, json).then(
      () => true,
      (error: Error) => {
        log.error(`The answer of the application was not handed on: ${error.message}`);
        return false;
      },
    );
  if (parallel) await Promise.all(to.map(one));
  else for (const binding of to) if (!(await one(binding))) return;
}
