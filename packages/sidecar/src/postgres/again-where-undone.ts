import type { Clock } from '@holdfast/core';
import type { PostgresFailure } from './postgres-words.ts';

/** A conflict of transactions that cannot be in any order, and two that waited for each other. */
const UNDONE = new Set(['40001', '40P01']);

const MAX_RETRIES = 3;
const FIRST_PAUSE_MS = 10;

/**
 * Does a transaction, or a statement that is one, once more where PostgreSQL has undone all of it for the sake of
 * another, as it asks its clients to: three times at most, with pauses of 10, 20 and 40 ms. What it says after that is thrown.
 */
export async function againWhereUndone<T>(
  work: () => Promise<T>,
  clock: Pick<Clock, 'sleep'>,
  signal?: AbortSignal,
): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await work();
    } catch (error) {
      const { code = '' } = ((error as Error).cause ?? {}) as PostgresFailure;
      if (retries >= MAX_RETRIES || !UNDONE.has(code)) throw error;
    }
    await clock.sleep(FIRST_PAUSE_MS * 2 ** retries, signal);
  }
}
