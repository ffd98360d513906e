import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import { utcSeconds } from '../components/utc-seconds.ts';
import { EtagMismatchError, type StateOperation, type StateStore } from './state-store.ts';
import { plainTtl } from './ttl.ts';
import { writeEach } from './write-each.ts';

interface Entry {
  readonly value: string | Buffer;
  readonly etag: string;
  /** By `clock.now()`; Infinity where it stays. */
  readonly untilMs: number;
  readonly expiresAt: string | undefined;
}

/** Expired items are swept when this many writes have been made. */
const SWEEP_EVERY = 1_000;

/** `state.in-memory`: for development and tests; what it keeps is gone with the process. */
export function memoryState(clock: Clock): StateStore {
  const entries = new Map<string, Entry>();
  let writes = 0;

  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || clock.now() < entry.untilMs) return entry;
    entries.delete(key);
    return undefined;
  };
  const sweep = () => {
    writes += 1;
    if (writes % SWEEP_EVERY === 0) for (const key of entries.keys()) live(key);
  };
  const check = (operation: StateOperation): void => {
    const { key, etag } = operation;
    const current = live(key);
    if (etag === undefined) {
      const taken = operation.firstWrite === true && current !== undefined;
      if (taken) throw new EtagMismatchError('item already exists and no etag was passed');
      return;
    }
    if (current === undefined) {
      throw new EtagMismatchError(`state not exist or expired for key=${key}`);
    }
    if (current.etag === etag) return;
    const both = `current=${current.etag}, expect=${etag}`;
    throw new EtagMismatchError(`state etag not match for key=${key}: ${both}`);
  };
  const apply = (operation: StateOperation): void => {
    if (operation.kind === 'delete') {
      entries.delete(operation.key);
      return;
    }
    const { key, ttlSeconds, value } = operation;
    const lives = ttlSeconds !== undefined && ttlSeconds > 0;
    const expiresAt = lives ? utcSeconds(clock.wallMs() + ttlSeconds * 1_000) : undefined;
    const untilMs = lives ? clock.now() + ttlSeconds * 1_000 : Infinity;
    entries.set(key, { value, etag: randomUUID(), untilMs, expiresAt });
    sweep();
  };

  return {
    capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL', 'DELETE_WITH_PREFIX', 'KEYS_LIKE'],
    readTtl: plainTtl,
    overlooksOptionsOf: ['transacted delete'],
    async get(key) {
      return live(key);
    },
    async write(operations, atomic) {
      if (atomic) {
        for (const operation of operations) check(operation);
        for (const operation of operations) apply(operation);
        return;
      }
      await writeEach(operations, (operation) => {
        check(operation);
        apply(operation);
      });
    },
    async close() {
      entries.clear();
    },
  };
}
