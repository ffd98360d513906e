import type { QueryPage, StateQuery } from './query/state-query.ts';
import type { TtlReader } from './ttl.ts';

/** A state store keeps these promises; `testing/state-contract.ts` holds each to them. */
/** `signal` aborts when nobody waits for the answer any more; a store need not look at it. */
export interface StateStore {
  /**
   * As Dapr's metadata name them: `ETAG`, `TRANSACTIONAL`, `TTL`, `QUERY_API`. `KEYS_LIKE` and
   * `DELETE_WITH_PREFIX` are said of a kind of store as daprd says them: no client can ask for either.
   */
  readonly capabilities: readonly string[];
  /** How its values are encrypted before they lie there; absent: they are not. */
  readonly seal?: ((value: string | Buffer) => Buffer) | undefined;
  /** Undefined where there is nothing, or what there was has expired. */
  get(key: string, signal?: AbortSignal, hints?: StateHints): Promise<StateItem | undefined>;
  /** In one go, in order; an error is of one key. Absent: they are got one by one. */
  getAll?(
    keys: readonly string[],
    signal?: AbortSignal,
    hints?: StateHints & { readonly parallelism?: number },
  ): Promise<readonly (StateItem | Error | undefined)[]>;
  /** In a kind of store's own words. */
  readonly readTtl: TtlReader;
  /**
   * What it does without looking whether `concurrency` and `consistency` are words it knows, as
   * Dapr's store of its kind. Absent: it always looks.
   */
  readonly overlooksOptionsOf?: readonly StateTask[] | undefined;
  /**
   * Does all of them or none, where `atomic`; else each for itself: rejects with `NotAllWrittenError`.
   * `metadata` is what a transaction says for itself, beside what it says of its items.
   */
  write(
    operations: readonly StateOperation[],
    atomic: boolean,
    signal?: AbortSignal,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Operations that an atomic write may have. Absent: any number. */
  largestTransaction?(): Promise<number>;
  /** What a query finds among the keys that begin with `prefix`. Absent: the store cannot look into values. */
  query?(query: StateQuery, prefix: string, signal?: AbortSignal): Promise<QueryPage>;
  close(): Promise<void>;
}

/** What a client may ask for: a write of its own, or one in a transaction. */
export type StateTask = StateOperation['kind'] | `transacted ${StateOperation['kind']}`;

export interface StateItem {
  /** JSON; or bytes as a client of the gRPC API gave them, which need not be any. */
  readonly value: string | Buffer;
  readonly etag: string;
  /** `2026-11-27T13:14:02Z` */
  readonly expiresAt?: string | undefined;
  /** All that a store of another program says of it, when it ends included. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What is told of an item beside its value. */
export const toldOf = ({ expiresAt, metadata }: StateItem): Readonly<Record<string, string>> =>
  metadata ?? (expiresAt === undefined ? {} : { ttlExpireTime: expiresAt });

/** What a client says of a request beyond what is done by it: for the stores of other programs, which may look at it. */
export interface StateHints {
  readonly metadata?: Readonly<Record<string, string>>;
  /** `eventual`, `strong`, or any other word, which is none. */
  readonly consistency?: string;
  readonly contentType?: string | undefined;
}

export type StateOperation = {
  readonly key: string;
  readonly hints?: StateHints;
  /** The item is written only if it still has this; absent: whatever it has. */
  readonly etag?: string | undefined;
} & (
  | {
      readonly kind: 'set';
      /** JSON, or bytes that are to come back as they are. */
      readonly value: string | Buffer;
      /** Without an etag, only what is not there yet is written. */
      readonly firstWrite: boolean;
      /** Whatever the etag: for the stores that look at it. */
      readonly lastWrite?: boolean;
      readonly ttlSeconds?: number | undefined;
    }
  | {
      readonly kind: 'delete';
      /** Without an etag, only what is not there is deleted: for the stores that look at it. */
      readonly firstWrite?: boolean;
      readonly lastWrite?: boolean;
    }
);

/** Somebody else has written since, in Dapr's words. */
export class EtagMismatchError extends Error {
  override readonly name = 'EtagMismatchError';

  constructor(detail?: string) {
    super(
      `possible etag mismatch. error from state store${detail === undefined ? '' : `: ${detail}`}`,
    );
  }
}

/** An etag that this store can never have given out, in Dapr's words. */
export class InvalidEtagError extends Error {
  override readonly name = 'InvalidEtagError';

  constructor(detail: string) {
    super(`invalid etag value: ${detail}`);
  }
}
