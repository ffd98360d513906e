import type { Clock } from '@holdfast/core';
import { migrate } from './migrate.ts';
import type { PostgresClient } from './module.ts';
import { forPausedTopics, forTopics } from './tables.ts';

/** Who may not change the tables, or does not get the lock for it, leases as before and tries again after this. */
const RETRY_MS = 60_000;

/**
 * The index and the function that lease by topic, beside the tables and with a version of their own: they are made when
 * topics are first named, so that an outbox, whose relay takes all, does not pay for them, and older processes go on.
 */
export class TopicLeasing {
  readonly #schema: string;
  readonly #clock: Clock;
  #made = false;
  #nextTryMs = -Infinity;

  constructor({ schema, clock }: { readonly schema: string; readonly clock: Clock }) {
    this.#schema = schema;
    this.#clock = clock;
  }

  /** Leases `byTopic` where they are there, else as it is done without: that finds the same, and looks at more. */
  async lease<T>(
    client: PostgresClient,
    without: () => Promise<T>,
    byTopic: () => Promise<T>,
  ): Promise<T> {
    if (!(await this.#ready(client))) return without();
    try {
      return await byTopic();
    } catch (error) {
      if (!isUnknownFunction(error)) throw error;
      // A backup was put back that is older than they are.
      this.#made = false;
      this.#nextTryMs = -Infinity;
      return without();
    }
  }

  async #ready(client: PostgresClient): Promise<boolean> {
    if (this.#made) return true;
    const nowMs = this.#clock.now();
    if (nowMs < this.#nextTryMs) return false;
    this.#nextTryMs = nowMs + RETRY_MS;
    const steps = [forTopics(this.#schema), forPausedTopics(this.#schema)];
    // Of a newer version, too, it is leased without: what they take may be other by then.
    const problem = await migrate(client, this.#schema, steps, 'topics_version').catch(refused);
    this.#made = problem === undefined;
    return this.#made;
  }
}

/** What the server refused (for want of rights, of the lock) is no outage. */
function refused(error: unknown): string {
  if (error instanceof Error && 'severity' in error && error.severity === 'ERROR') {
    return error.message;
  }
  throw error;
}

function isUnknownFunction(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42883';
}
