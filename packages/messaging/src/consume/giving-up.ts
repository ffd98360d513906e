import type { Handler } from '../broker.ts';
import { NeverEndedError } from '../errors.ts';
import type { IncomingMessage } from '../message.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

/**
 * Handles a message. `unended` is how often processes had it that never said how it ended: they may have died of it, or
 * lost their connection while they had it.
 */
export type Handling = (message: IncomingMessage, unended: number) => Promise<void>;

/** Messages that are remembered, the latest ones: others may have gone to another member. */
const MOST_REMEMBERED = 1_000;

interface Past {
  /** As the broker said when this process had it first: what came to it since, this process knows itself. */
  readonly unended: number;
  readonly failed: number;
}

/**
 * A handler that hands on what it does not get done, where `giveUp` says to whom; else the handler itself. What is told
 * of as unended so often is not handed over any more: this process may be the next to die of it.
 */
export function givingUp(handler: Handler, options: ResolvedSubscribeOptions): Handling {
  const { giveUp } = options;
  if (giveUp === undefined) return handler;
  const pasts = new Map<string, Past>();
  return async (message, told) => {
    const { delivery, id } = message;
    const { failed, unended } = pasts.get(id) ?? { failed: 0, unended: told };
    const remember = (failures: number) => rememberIn(pasts, id, { unended, failed: failures });
    remember(failed);
    let error: unknown = new NeverEndedError(delivery - 1);
    if (unended < giveUp.after) {
      try {
        await handler(message);
        remember(0);
        return;
      } catch (thrown) {
        error = thrown;
      }
      remember(failed + 1);
      if (unended + failed + 1 < giveUp.after) throw error;
    }
    tell(options, { kind: 'handler-failed', id, error });
    // Where this fails too, it comes once more, and then again here.
    await giveUp.to(message, error);
    remember(0);
  };
}

function rememberIn(pasts: Map<string, Past>, id: string, past: Past): void {
  pasts.delete(id);
  pasts.set(id, past);
  if (pasts.size <= MOST_REMEMBERED) return;
  const [oldest] = pasts.keys();
  if (oldest !== undefined) pasts.delete(oldest);
}
