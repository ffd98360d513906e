/** Which job an event is about. */
interface OfJob {
  readonly id: string;
  readonly topic: string;
  /** 1 the first time the job is handed over. */
  readonly delivery: number;
}

/** What a worker reports; durations in milliseconds. */
export type WorkerEvent =
  | ({ readonly type: 'started' } & OfJob)
  /** What a handler said with `job.progress`. */
  | ({ readonly type: 'progress'; readonly text: string } & OfJob)
  | ({ readonly type: 'done'; readonly durationMs: number } & OfJob)
  /** Handed over again after `delayMs`. */
  | ({ readonly type: 'failed'; readonly error: unknown; readonly delayMs: number } & OfJob)
  /** Its handler threw a `RetryLaterError`. */
  | ({ readonly type: 'postponed'; readonly error: unknown; readonly delayMs: number } & OfJob)
  /** It became a dead letter. */
  | ({ readonly type: 'died'; readonly reason: string } & OfJob)
  | ({ readonly type: 'cancelled' } & OfJob)
  /** Its lease was over before it ended: another worker may have it, or had it. */
  | ({ readonly type: 'lapsed' } & OfJob)
  /** Not finished when the worker stopped, and given back; it does not count as a delivery. */
  | ({ readonly type: 'returned' } & OfJob)
  /** A handler that was given up on (timed out, cancelled, stopped) has ended after all: without effect. */
  | ({
      readonly type: 'late';
      readonly outcome: 'success' | 'failure';
      readonly lateByMs: number;
    } & OfJob)
  /** Jobs wait for which this worker has no handler; they are left to others. */
  | { readonly type: 'unhandled'; readonly topic: string; readonly jobs: number }
  /** The store cannot be used; the worker looks again after `pauseMs`. */
  | { readonly type: 'paused'; readonly pauseMs: number; readonly error: unknown };
