import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { Outbox } from '../outbox.ts';
import type { Jobs } from '../worker/jobs.ts';
import type { EdgeEvent } from './edge-request.ts';

/** What `GET /process/ID` says. `state` as the outbox has it, or a word of yours. */
export interface EdgeStatus {
  readonly state: string;
  readonly deliveries: number;
  /** How far it is, where somebody said so. */
  readonly progress?: string | undefined;
  /** What came of it, where somebody had that kept. */
  readonly result?: string | undefined;
}

/** Who keeps events: an outbox, or jobs, whose workers handle them. */
export type EdgeQueue = Pick<Outbox, 'accept' | 'find'> | Pick<Jobs, 'enqueue' | 'status'>;

export interface EdgeOptions<Raw = unknown> {
  readonly outbox: EdgeQueue;

  /** Where events go. A function that returns undefined refuses the event with 422. */
  readonly topic: string | ((event: EdgeEvent<Raw>) => string | undefined);

  /** Events of one topic and key arrive in the order accepted. @default no order promised */
  readonly key?: (event: EdgeEvent<Raw>) => string | undefined;

  /**
   * Names the event, in place of `idempotencyHeader`. Ids are one namespace: where clients do not
   * trust each other, put the tenant in front, or one can swallow another's event.
   *
   * @default what the header says, else a new UUID
   */
  readonly id?: (event: EdgeEvent<Raw>) => string | undefined;

  /** `POST` here accepts, `GET` below it tells what became of an event. @default '/process' */
  readonly path?: string;

  /** Larger bodies get 413, before they are read. @default 1_048_576 (1 …) */
  readonly maxBodyBytes?: number;

  /**
   * Whose value becomes the message's id, so that a retry of the client is no second event.
   *
   * `x-request-id` is not read unless it is named here: proxies invent it, a new one for each
   * attempt, or the same one for several events, which would lose all but the first.
   *
   * @default 'idempotency-key'
   */
  readonly idempotencyHeader?: string;

  /** Refuses what is no JSON, and tells where it breaks. @default false: any bytes are an event */
  readonly json?: boolean;

  /** What became of an event; undefined is 404. @default `outbox.find`, `jobs.status` */
  readonly status?: (
    id: string,
    raw: Raw,
  ) => EdgeStatus | undefined | Promise<EdgeStatus | undefined>;

  /** A client that sends nothing for so long gets 408. @default 10_000 ms (1 … 600_000) */
  readonly stallMs?: number;

  /** A body that takes longer in all gets 408. @default 60_000 ms (1 … 600_000) */
  readonly readMs?: number;

  /** Hears of what the client is told without its details: refusals of the outbox. @default nobody */
  readonly onProblem?: (error: unknown) => void;

  readonly clock?: Clock;
}

export const EDGE_DEFAULTS = {
  path: '/process',
  maxBodyBytes: 1_048_576,
  idempotencyHeader: 'idempotency-key',
  json: false,
  stallMs: 10_000,
  readMs: 60_000,
  clock: systemClock,
} as const;

export type ResolvedEdgeOptions<Raw = unknown> = EdgeOptions<Raw> &
  Required<Omit<EdgeOptions<Raw>, 'key' | 'id' | 'onProblem'>> &
  Pick<Outbox, 'accept'>;

const LONGEST_MS = 600_000;
const PATH = /^(?:\/[^/?#\s]+)+$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** Fills in defaults; throws what names the option that cannot work. */
export function resolveEdgeOptions<Raw = unknown>(
  given: EdgeOptions<Raw>,
): ResolvedEdgeOptions<Raw> {
  const options = { ...EDGE_DEFAULTS, ...queueOf(given.outbox), ...given };
  checkInteger('edge.maxBodyBytes', options.maxBodyBytes, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('edge.stallMs', options.stallMs, 1, LONGEST_MS);
  checkInteger('edge.readMs', options.readMs, 1, LONGEST_MS);
  const { topic, path } = options;
  if (typeof topic !== 'function' && (typeof topic !== 'string' || topic === '')) {
    throw new TypeError(
      `edge.topic must be a topic's name or a function that finds one, not ${JSON.stringify(topic)}.`,
    );
  }
  if (!PATH.test(path)) {
    throw new RangeError(
      `edge.path must begin with "/", not end with it, and have no query, such as "/process"; not ${JSON.stringify(path)}.`,
    );
  }
  const idempotencyHeader = String(options.idempotencyHeader).toLowerCase();
  if (!HEADER_NAME.test(idempotencyHeader)) {
    throw new RangeError(
      `edge.idempotencyHeader must be the name of a header, such as "idempotency-key"; not ${JSON.stringify(options.idempotencyHeader)}.`,
    );
  }
  return { ...options, idempotencyHeader };
}

/** The way in and the way to look up; asked at each call, since it may be handed in before it is open. */
function queueOf(queue: EdgeQueue): Pick<ResolvedEdgeOptions, 'accept' | 'status'> {
  return 'enqueue' in queue
    ? { accept: (messages) => queue.enqueue(messages), status: (id) => queue.status(id) }
    : { accept: (messages) => queue.accept(messages), status: (id) => queue.find(id) };
}
