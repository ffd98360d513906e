import type { Handler } from '../broker.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

/** Messages whose failures are remembered, the latest ones: others may have gone to another member. */
const MOST_REMEMBERED = 1_000;

/** A handler that hands on what it does not get done, where `giveUp` says to whom; else the handler itself. */
export function givingUp(handler: Handler, options: ResolvedSubscribeOptions): Handler {
  const { giveUp } = options;
  if (giveUp === undefined) return handler;
  const failures = new Map<string, number>();
  return async (message) => {
    const { id } = message;
    try {
      await handler(message);
    } catch (error) {
      const failed = (failures.get(id) ?? 0) + 1;
      remember(failures, id, failed);
      if (failed < giveUp.after) throw error;
      tell(options, { kind: 'handler-failed', id, error });
      // Where this fails too, the handler is asked once more, and then again this.
      await giveUp.to(message, error);
    }
    failures.delete(id);
  };
}

function remember(failures: Map<string, number>, id: string, failed: number): void {
  failures.delete(id);
  failures.set(id, failed);
  if (failures.size <= MOST_REMEMBERED) return;
  const [oldest] = failures.keys();
  if (oldest !== undefined) failures.delete(oldest);
}
