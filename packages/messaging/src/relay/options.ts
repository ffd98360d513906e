import {
  type Clock,
  circuitBreaker,
  type Listener,
  type Pipeline,
  type Policy,
  type Random,
  retry,
  systemClock,
  systemRandom,
  timeout,
} from '@holdfast/core';
import { checkInteger } from '../check.ts';
import { BrokerRejectedError } from '../errors.ts';
import type { MessageTracer } from '../trace/message-tracer.ts';
import type { RelayEvent } from './events.ts';

export interface RelayOptions {
  /** Names its pipeline in events, metrics and the registry. @default 'relay' */
  readonly name?: string;
  /** Messages handed over at once, and sent again together if that fails. @default 100 (1 … 10_000) */
  readonly batchSize?: number;
  /**
   * How long a batch is hidden from other relays; renewed while it is being published. After a
   * SIGKILL its messages wait this long.
   *
   * @default 5_000 ms (100 … 600_000)
   */
  readonly leaseMs?: number;
  /** Looks this often for messages that other processes have accepted. @default 1_000 ms (10 … 600_000) */
  readonly pollMs?: number;
  /** First pause after the broker could not be reached; doubles each time. @default 200 ms (1 … 600_000) */
  readonly pauseMs?: number;
  /** No pause is longer: the broker is found again at the latest after this. @default 2_000 ms */
  readonly maxPauseMs?: number;
  /** Failures of one message, while others went through, after which it is dead. @default 5 (1 … 1_000) */
  readonly poisonAfter?: number;
  /** `stop` waits this long for the batch in flight, then gives it back. @default 5_000 ms */
  readonly graceMs?: number;
  /** Protects `broker.publish`. @default one of `relayPolicies()` */
  readonly pipeline?: Pipeline;
  /** Hears what the relay does. @default nobody */
  readonly onEvent?: (event: RelayEvent) => void;
  /** Hears the default pipeline's policies. @default nobody */
  readonly report?: Listener;
  /** Records a span for each message that is published. @default the outbox's */
  readonly tracer?: MessageTracer;
  readonly clock?: Clock;
  readonly random?: Random;
}

export const RELAY_DEFAULTS = {
  name: 'relay',
  batchSize: 100,
  leaseMs: 5_000,
  pollMs: 1_000,
  pauseMs: 200,
  maxPauseMs: 2_000,
  poisonAfter: 5,
  graceMs: 5_000,
  clock: systemClock,
  random: systemRandom,
} as const;

export type ResolvedRelayOptions = RelayOptions &
  Required<Omit<RelayOptions, 'pipeline' | 'onEvent' | 'report' | 'tracer'>>;

const LONGEST_MS = 600_000;

export function resolveRelayOptions(given: RelayOptions): ResolvedRelayOptions {
  const options = { ...RELAY_DEFAULTS, ...given };
  checkInteger('relay.batchSize', options.batchSize, 1, 10_000);
  checkInteger('relay.leaseMs', options.leaseMs, 100, LONGEST_MS);
  checkInteger('relay.pollMs', options.pollMs, 10, LONGEST_MS);
  checkInteger('relay.pauseMs', options.pauseMs, 1, LONGEST_MS);
  checkInteger('relay.maxPauseMs', options.maxPauseMs, options.pauseMs, LONGEST_MS);
  checkInteger('relay.poisonAfter', options.poisonAfter, 1, 1_000);
  checkInteger('relay.graceMs', options.graceMs, 0, LONGEST_MS);
  return options;
}

/**
 * The policies of a relay that was given none: one quick retry for a connection that had just
 * gone stale; a circuit that opens after three failures and lets one batch through every two
 * seconds; ten seconds for an acknowledgement. A message the broker refuses is no failure of the
 * broker, and trying it again is of no use.
 */
export function relayPolicies(): readonly Policy[] {
  const outage = (error: unknown) => !isRejection(error);
  return [
    retry({ maxRetries: 1, delayMs: 100, retryIf: outage }),
    circuitBreaker({ consecutiveFailures: 3, openMs: 2_000, failureIf: outage }),
    timeout({ limitMs: 10_000 }),
  ];
}

/** Compared by code: the adapter may come from another copy of this package. */
export function isRejection(error: unknown): error is BrokerRejectedError {
  return (
    error instanceof BrokerRejectedError ||
    (error instanceof Error && 'code' in error && error.code === 'BROKER_REJECTED')
  );
}
