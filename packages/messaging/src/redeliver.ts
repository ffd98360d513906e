import type { Clock } from '@holdfast/core';
import type { Handler, SubscribeOptions } from './broker.ts';
import { checkInteger } from './check.ts';
import type { Message } from './message.ts';

export const SUBSCRIBE_DEFAULTS = { redeliverMs: 100, maxRedeliverMs: 10_000 } as const;

export type ResolvedSubscribeOptions = SubscribeOptions &
  Required<Omit<SubscribeOptions, 'onProblem'>>;

export function resolveSubscribeOptions(given: SubscribeOptions): ResolvedSubscribeOptions {
  const options = { ...SUBSCRIBE_DEFAULTS, ...given };
  if (options.group === '')
    throw new TypeError('subscribe.group must name the group, not be empty.');
  checkInteger('subscribe.redeliverMs', options.redeliverMs, 1, 600_000);
  checkInteger('subscribe.maxRedeliverMs', options.maxRedeliverMs, options.redeliverMs, 600_000);
  return options;
}

/**
 * Hands a message to its handler until the handler succeeds. Rejects only when `signal` aborts:
 * the message is then not acknowledged, and the broker keeps it. Waiting here rather than giving
 * it back is what keeps the order of the messages behind it.
 */
export async function handUntilHandled(
  message: Message,
  handler: Handler,
  options: ResolvedSubscribeOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (let delivery = 1; ; delivery += 1) {
    signal.throwIfAborted();
    try {
      return await handler({ ...message, delivery });
    } catch (error) {
      options.onProblem?.({ kind: 'handler-failed', id: message.id, error });
      const doubled = options.redeliverMs * 2 ** Math.min(delivery - 1, 20);
      await clock.sleep(Math.min(options.maxRedeliverMs, doubled), signal);
    }
  }
}
