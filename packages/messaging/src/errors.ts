/** Compare `code` rather than using `instanceof`: two copies of this package can meet. */
export type OutboxRefusalCode =
  /** As many messages or bytes wait as the limits allow. Try again when the relay has caught up. */
  | 'OUTBOX_FULL'
  /** The store cannot promise to keep anything now: disk full, file damaged, read-only … */
  | 'OUTBOX_UNAVAILABLE'
  /** This message is over `maxBodyBytes`; trying again is of no use. */
  | 'MESSAGE_TOO_LARGE'
  /** The outbox was closed by its own process. */
  | 'OUTBOX_CLOSED';

/** The messages were not accepted: nothing of the call was kept. */
export class OutboxRefusedError extends Error {
  override readonly name = 'OutboxRefusedError';
  readonly code: OutboxRefusalCode;
  /** When it may be worth trying again, in milliseconds; undefined where it never is. */
  readonly retryAfterMs: number | undefined;

  constructor(code: OutboxRefusalCode, message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A store cannot be used now. The message names the file and what an operator can do. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'STORE_UNAVAILABLE';
  /** The store tries to recover no sooner than this, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a broker that is well did not take, and why; reasons by message id. */
export interface BrokerRefusal {
  /** Will never be taken: too large, a topic that cannot be. */
  readonly rejected?: ReadonlyMap<string, string>;
  /** Not now, but the broker is not to blame: nobody has subscribed yet. */
  readonly postponed?: ReadonlyMap<string, string>;
  /** Ids of the same call that were acknowledged; any others were not sent. */
  readonly taken?: ReadonlySet<string>;
}

/** The broker is there and did not take some of the messages. */
export class BrokerRejectedError extends Error {
  override readonly name = 'BrokerRejectedError';
  readonly code = 'BROKER_REJECTED';
  readonly rejected: ReadonlyMap<string, string>;
  readonly postponed: ReadonlyMap<string, string>;
  readonly taken: ReadonlySet<string>;

  constructor({ rejected = new Map(), postponed = new Map(), taken = new Set() }: BrokerRefusal) {
    const [first] = [...rejected, ...postponed];
    const count = rejected.size + postponed.size;
    super(`The broker did not take ${count} message(s), first ${first?.[0]}: ${first?.[1]}.`);
    this.rejected = rejected;
    this.postponed = postponed;
    this.taken = taken;
  }
}

/** The broker cannot be reached or did not acknowledge in time. */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError';
  readonly code = 'BROKER_UNAVAILABLE';
  /** It answered, and does not let us in: time does not heal a wrong password, or a place that is not there. */
  readonly lasting: boolean;
  /** It came to no more than connecting, so that nothing was sent: publishing again makes nothing twice. */
  readonly unsent: boolean;

  constructor(message: string, cause?: unknown, lasting = false, unsent = false) {
    super(message, cause === undefined ? undefined : { cause });
    this.lasting = lasting;
    this.unsent = unsent;
  }
}

/** Processes that had the message never said how it ended: it is not handed over again, it may be what ends them. */
export class NeverEndedError extends Error {
  override readonly name = 'NeverEndedError';
  readonly code = 'NEVER_ENDED';
  /** How often it was handed over. */
  readonly deliveries: number;

  constructor(deliveries: number) {
    super(neverEnded(deliveries));
    this.deliveries = deliveries;
  }
}

/** Why a message dies that nobody came to in time. */
export const EXPIRED = 'expired: its lifetime was over before it could be handed over';

/** Why a message dies that was handed over so often and never came back. */
export function neverEnded(deliveries: number): string {
  return `handed over ${deliveries} times, and nobody said how it ended: it may be what ends its workers`;
}
