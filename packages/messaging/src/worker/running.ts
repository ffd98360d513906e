import type { Call, Clock } from '@holdfast/core';
import type { Lease } from '../store.ts';
import type { WorkerEvent } from './events.ts';
import type { Job } from './job.ts';
import type { Kind } from './kind.ts';

/** How a call of a handler ended. */
export type Ended = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

export interface RunningEnv {
  readonly clock: Clock;
  readonly tell: (event: WorkerEvent) => void;
  /** Called with what a handler says of how far a job is. */
  readonly note: (lease: Lease, text: string) => void;
}

/** One call of a handler, and the jobs in its hands. */
export class Running {
  readonly leases: readonly Lease[];
  readonly startedMs: number;
  readonly #kind: Kind;
  readonly #clock: Clock;
  readonly #tell: RunningEnv['tell'];
  readonly #note: RunningEnv['note'];
  readonly #abort = new AbortController();
  readonly #jobs = new Map<Lease, LiveJob>();

  constructor(leases: readonly Lease[], kind: Kind, { clock, tell, note }: RunningEnv) {
    this.leases = leases;
    this.startedMs = clock.now();
    this.#kind = kind;
    this.#clock = clock;
    this.#tell = tell;
    this.#note = note;
  }

  /** What it said last of a job. */
  progressOf(lease: Lease): string | undefined {
    return this.#jobs.get(lease)?.said;
  }

  /** What its handler says came of a job. */
  resultOf(lease: Lease): string | undefined {
    return this.#jobs.get(lease)?.outcome;
  }

  /** Ends the call for all of its jobs, now, whatever the handler does. */
  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** One of its jobs is no longer its own: the handler is told, and ended where it has no other. */
  drop(lease: Lease, reason: unknown): void {
    if (this.leases.length === 1) this.abort(reason);
    else this.#jobs.get(lease)?.abort(reason);
  }

  /** Calls the handler, and resolves when it has ended, timed out or was aborted. */
  async run(): Promise<Ended> {
    let leftMs: number | undefined;
    const { handle, guard } = this.#kind;
    try {
      await guard.execute(
        async (call) => {
          const late = (outcome: 'success' | 'failure') => {
            if (leftMs !== undefined) this.#late(outcome, this.#clock.now() - leftMs);
          };
          try {
            await handle(this.leases.map((lease) => this.#jobOf(lease, call)));
          } catch (error) {
            // Whoever throws the reason of its signal has done as it was told.
            if (leftMs === undefined || error !== call.signal.reason) late('failure');
            throw error;
          }
          late('success');
        },
        { signal: this.#abort.signal },
      );
      return { failed: false };
    } catch (error) {
      return { failed: true, error };
    } finally {
      leftMs = this.#clock.now();
    }
  }

  #jobOf(lease: Lease, call: Call): LiveJob {
    const job = new LiveJob(lease, call, (text) => {
      this.#tell({ type: 'progress', text, ...jobOf(lease) });
      this.#note(lease, text);
    });
    this.#jobs.set(lease, job);
    return job;
  }

  #late(outcome: 'success' | 'failure', lateByMs: number): void {
    for (const lease of this.leases) {
      this.#tell({ type: 'late', outcome, lateByMs, ...jobOf(lease) });
    }
  }
}

const LONGEST_RESULT_BYTES = 16_384;

function checkResult(text: unknown): string {
  if (typeof text !== 'string' || text.includes('\0')) {
    const found = typeof text === 'string' ? 'one with it' : `a ${typeof text}`;
    throw new TypeError(
      `job.result takes a text without U+0000, not ${found}. Serialise it first.`,
    );
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= LONGEST_RESULT_BYTES) return text;
  throw new RangeError(
    `job.result takes ${LONGEST_RESULT_BYTES} bytes at most, not ${bytes}. Keep it elsewhere, and say here where.`,
  );
}

/** What events say of a job. */
export function jobOf({ message: { id, topic }, delivery }: Lease) {
  return { id, topic, delivery };
}

const LONGEST_PROGRESS = 200;

class LiveJob implements Job {
  readonly id: string;
  readonly topic: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly delivery: number;
  said: string | undefined;
  outcome: string | undefined;
  readonly #call: Call;
  readonly #progress: (text: string) => void;
  readonly #own = new AbortController();
  #signal: AbortSignal | undefined;

  constructor({ message, delivery }: Lease, call: Call, progress: (text: string) => void) {
    this.id = message.id;
    this.topic = message.topic;
    this.key = message.key;
    this.body = message.body;
    this.headers = message.headers;
    this.delivery = delivery;
    this.#call = call;
    this.#progress = progress;
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any([this.#call.signal, this.#own.signal]);
    return this.#signal;
  }

  get remainingMs(): number {
    return this.#call.remainingMs;
  }

  progress(text: string): void {
    this.said = String(text).slice(0, LONGEST_PROGRESS);
    this.#progress(this.said);
  }

  result(text: string): void {
    this.outcome = checkResult(text);
  }

  abort(reason: unknown): void {
    this.#own.abort(reason);
  }
}
