import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** An event as the sink shows it. `delivery` counts how often it came: 1 where nothing was repeated. */
export interface DeliveredEvent {
  readonly id: string;
  readonly test_id: string | null;
  readonly type: string;
  /** When it came first. */
  readonly at: string;
  readonly delivery: number;
}

/** The events that arrived, each once, in the order of their first arrival. */
export interface EventStore {
  /** Resolves when all of them are on disk. */
  record(event: Pick<DeliveredEvent, 'id' | 'test_id' | 'type' | 'at'>): Promise<void>;
  /** The events after `after`, the oldest first, and the cursor of the last. */
  page(after: number, limit: number): { events: DeliveredEvent[]; next: number };
  close(): void;
}

type Waiting = {
  readonly event: Parameters<EventStore['record']>[0];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

export function openEventStore(path: string): EventStore {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS event (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      test_id TEXT,
      type TEXT NOT NULL,
      at TEXT NOT NULL,
      delivery INTEGER NOT NULL DEFAULT 1
    ) STRICT`);
  const insert = database.prepare(
    `INSERT INTO event (id, test_id, type, at) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET delivery = delivery + 1`,
  );
  // A bare `LIMIT ?` would be prepared anew each time.
  const select = database.prepare(
    'SELECT seq, id, test_id, type, at, delivery FROM event WHERE seq > ? ORDER BY seq LIMIT ? + 0',
  );

  // What arrives in one turn of the event loop shares one transaction and one flush.
  let waiting: Waiting[] = [];
  const flush = () => {
    const group = waiting;
    waiting = [];
    try {
      database.exec('BEGIN IMMEDIATE');
      for (const { event } of group) insert.run(event.id, event.test_id, event.type, event.at);
      database.exec('COMMIT');
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      for (const { reject } of group) reject(error);
    }
  };

  return {
    record(event) {
      if (waiting.length === 0) setImmediate(flush);
      return new Promise((resolve, reject) => waiting.push({ event, resolve, reject }));
    },
    page(after, limit) {
      const rows = select.all(after, limit) as unknown as (DeliveredEvent & { seq: number })[];
      return {
        events: rows.map(({ seq: _seq, ...event }) => event),
        next: rows.at(-1)?.seq ?? after,
      };
    },
    close: () => database.close(),
  };
}
