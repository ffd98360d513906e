import type { SubscribeOptions, SubscriptionProblem } from '../broker.ts';
import { checkInteger } from '../check.ts';
import { tellListener } from '../tell-listener.ts';

export const SUBSCRIBE_DEFAULTS = {
  concurrency: 1,
  gather: 1,
  redeliverMs: 100,
  maxRedeliverMs: 10_000,
} as const;

export type ResolvedSubscribeOptions = SubscribeOptions &
  Required<Omit<SubscribeOptions, 'onProblem' | 'details' | 'giveUp'>>;

export function resolveSubscribeOptions(given: SubscribeOptions): ResolvedSubscribeOptions {
  const options = { ...SUBSCRIBE_DEFAULTS, ...given };
  if (options.group === '')
    throw new TypeError('subscribe.group must name the group, not be empty.');
  checkInteger('subscribe.concurrency', options.concurrency, 1, 1_000);
  checkInteger('subscribe.gather', options.gather, 1, 10_000);
  checkInteger('subscribe.redeliverMs', options.redeliverMs, 1, 600_000);
  checkInteger('subscribe.maxRedeliverMs', options.maxRedeliverMs, options.redeliverMs, 600_000);
  const { giveUp } = options;
  if (giveUp !== undefined) {
    checkInteger('subscribe.giveUp.after', giveUp.after, 1, 1_000);
    if (typeof giveUp.to !== 'function') {
      throw new TypeError(
        `subscribe.giveUp.to must be a function that takes the message and the error, not ${typeof giveUp.to}.`,
      );
    }
  }
  return options;
}

/** Reports a problem of a subscription. */
export function tell({ onProblem }: ResolvedSubscribeOptions, problem: SubscriptionProblem): void {
  tellListener(onProblem, problem);
}
