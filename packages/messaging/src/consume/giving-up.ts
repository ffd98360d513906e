import { type Clock, systemClock } from '@holdfast/core';
import type { GivenUp, Handler } from '../broker.ts';
import { errorLine, withStack } from '../error-text.ts';
import { NeverEndedError } from '../errors.ts';
import { withEntry } from '../history.ts';
import type { IncomingMessage } from '../message.ts';
import { HISTORY_LIMIT, type HistoryEntry } from '../store.ts';
import { type Past, Pasts, THIS_PROCESS } from './pasts.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

/**
 * Handles a message. `unended` is how often processes had it that never said how it ended: they may have died of it, or
 * lost their connection while they had it.
 */
export type Handling = (message: IncomingMessage, unended: number) => Promise<void>;

/**
 * A handler that hands on what it does not get done, where `giveUp` says to whom; else the handler itself. What is told
 * of as unended so often is not handed over any more: this process may be the next to die of it.
 */
export function givingUp(
  handler: Handler,
  options: ResolvedSubscribeOptions,
  clock: Clock = systemClock,
): Handling {
  const { giveUp, group } = options;
  if (giveUp === undefined) return handler;
  const pasts = new Pasts();
  return async (message, told) => {
    const { delivery, id } = message;
    const begun = pasts.find(id) ?? firstSeen(message, told, clock.wallMs());
    const over = () => pasts.remember(id, { unended: begun.unended, failed: 0, history: [] });
    pasts.remember(id, begun);
    let past = begun;
    let error: unknown = new NeverEndedError(delivery - 1);
    if (begun.unended < giveUp.after) {
      try {
        await handler(message);
        over();
        return;
      } catch (thrown) {
        error = thrown;
      }
      past = failedOnceMore(past, delivery, error, clock.wallMs());
      pasts.remember(id, past);
      if (past.unended + past.failed < giveUp.after) throw error;
    }
    tell(options, { kind: 'handler-failed', id, error });
    // Where this fails too, it comes once more, and then again here.
    await giveUp.to(message, error, givenUp(group, delivery, error, past));
    over();
  };
}

/** Of what came before only the broker's count is known: not when it was, nor where. */
function firstSeen({ delivery }: IncomingMessage, unended: number, wallMs: number): Past {
  const from = Math.max(1, delivery - HISTORY_LIMIT);
  const history = Array.from({ length: delivery - from }, (_, index) => ({
    at: new Date(wallMs).toISOString(),
    what: 'ended' as const,
    detail: `delivery ${from + index}: ended with its process, which never said how (or with its connection); ${THIS_PROCESS} has it since`,
  }));
  return { unended, failed: 0, history };
}

function failedOnceMore(past: Past, delivery: number, error: unknown, wallMs: number): Past {
  const detail = `delivery ${delivery} in ${THIS_PROCESS}: ${errorLine(error)}`;
  const history = withEntry(past.history, 'failed', detail, wallMs);
  return { ...past, failed: past.failed + 1, history };
}

function givenUp(group: string, delivery: number, error: unknown, past: Past): GivenUp {
  const ended = error instanceof NeverEndedError;
  return {
    group,
    deliveries: ended ? delivery - 1 : delivery,
    reason: ended
      ? error.message
      : withStack(`failed ${past.unended + past.failed} times; last`, error),
    history: past.history satisfies readonly HistoryEntry[],
  };
}
