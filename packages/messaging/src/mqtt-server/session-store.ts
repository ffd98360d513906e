import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Clock, systemClock } from '@holdfast/core';
import { Connection } from '../sqlite/connection.ts';

/** A message that waits in a session's queue. */
export interface QueuedPublish {
  readonly seq: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** MQTT 5 properties as JSON; empty for none. */
  readonly properties: string;
}

export interface StoredSession {
  readonly session: number;
  readonly client: string;
  readonly filters: ReadonlyMap<string, 0 | 1>;
}

/** A publish and the sessions whose queues it goes into. */
export interface Routed {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: string;
  readonly retain: boolean;
  readonly sessions: readonly number[];
}

const VERSION = 1;
const TABLES = `
  CREATE TABLE session (session INTEGER PRIMARY KEY, client TEXT NOT NULL UNIQUE, durable INTEGER NOT NULL) STRICT;
  CREATE TABLE filter (session INTEGER NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL, PRIMARY KEY (session, filter)) STRICT, WITHOUT ROWID;
  CREATE TABLE queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, properties TEXT NOT NULL) STRICT;
  CREATE INDEX queue_of_session ON queue (session, seq);
  CREATE TABLE retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, properties TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;
const SQL = {
  addSession: 'INSERT INTO session (client, durable) VALUES (?, ?)',
  dropQueue: 'DELETE FROM queue WHERE session = ?',
  dropFilters: 'DELETE FROM filter WHERE session = ?',
  dropSession: 'DELETE FROM session WHERE session = ?',
  sessions: 'SELECT session, client, durable FROM session',
  filters: 'SELECT filter, qos FROM filter WHERE session = ?',
  depth: 'SELECT count(*) AS depth FROM queue WHERE session = ?',
  addFilter: 'INSERT OR REPLACE INTO filter (session, filter, qos) VALUES (?, ?, ?)',
  dropFilter: 'DELETE FROM filter WHERE session = ? AND filter = ?',
  enqueue: 'INSERT INTO queue (session, topic, payload, properties) VALUES (?, ?, ?, ?)',
  ack: 'DELETE FROM queue WHERE seq = ?',
  // A bare `LIMIT ?` would be prepared anew each time.
  next: 'SELECT seq, topic, payload, properties FROM queue WHERE session = ? AND seq > ? ORDER BY seq LIMIT ? + 0',
  retain: 'INSERT OR REPLACE INTO retained (topic, payload, properties) VALUES (?, ?, ?)',
  unretain: 'DELETE FROM retained WHERE topic = ?',
  retained: 'SELECT 0 AS seq, topic, payload, properties FROM retained',
  retainedTopics: 'SELECT topic FROM retained',
} as const;

/** Sessions, subscriptions, queues and retained messages in one SQLite file, flushed at each commit. */
export class SessionStore {
  readonly #connection: Connection;
  #sql: Readonly<Record<keyof typeof SQL, StatementSync>> | undefined;
  #generation = 0;

  constructor(path: string, clock: Clock = systemClock) {
    this.#connection = new Connection({ path, clock, busyTimeoutMs: 500, prepare });
  }

  /** The sessions that outlive their connection, with their subscriptions and queue lengths. */
  load(): readonly (StoredSession & { readonly depth: number })[] {
    return this.#write((sql) => {
      const rows = sql.sessions.all() as { session: number; client: string; durable: number }[];
      for (const { session, durable } of rows) if (durable === 0) dropSession(sql, session);
      return rows
        .filter(({ durable }) => durable === 1)
        .map(({ session, client }) => {
          const filters = sql.filters.all(session) as { filter: string; qos: 0 | 1 }[];
          const { depth } = sql.depth.get(session) as { depth: number };
          return {
            session,
            client,
            depth,
            filters: new Map(filters.map(({ filter, qos }) => [filter, qos])),
          };
        });
    });
  }

  addSession(client: string, durable: boolean): number {
    return this.#write((sql) =>
      Number(sql.addSession.run(client, durable ? 1 : 0).lastInsertRowid),
    );
  }

  dropSession(session: number): void {
    this.#write((sql) => dropSession(sql, session));
  }

  addFilters(session: number, filters: Iterable<readonly [filter: string, qos: 0 | 1]>): void {
    this.#write((sql) => {
      for (const [filter, qos] of filters) sql.addFilter.run(session, filter, qos);
    });
  }

  dropFilters(session: number, filters: readonly string[]): void {
    this.#write((sql) => {
      for (const filter of filters) sql.dropFilter.run(session, filter);
    });
  }

  /** Takes publishes in and acknowledged ones out, in one transaction. */
  commit(publishes: readonly Routed[], acknowledged: readonly number[]): void {
    this.#write((sql) => {
      for (const { topic, payload, properties, retain, sessions } of publishes) {
        for (const session of sessions) sql.enqueue.run(session, topic, payload, properties);
        if (!retain) continue;
        if (payload.byteLength === 0) sql.unretain.run(topic);
        else sql.retain.run(topic, payload, properties);
      }
      for (const seq of acknowledged) sql.ack.run(seq);
    });
  }

  next(session: number, afterSeq: number, limit: number): readonly QueuedPublish[] {
    return this.#read(
      (sql) => sql.next.all(session, afterSeq, limit) as unknown as QueuedPublish[],
    );
  }

  retainedTopics(): readonly string[] {
    const rows = this.#read((sql) => sql.retainedTopics.all() as { topic: string }[]);
    return rows.map(({ topic }) => topic);
  }

  retained(): readonly QueuedPublish[] {
    return this.#read((sql) => sql.retained.all() as unknown as QueuedPublish[]);
  }

  close(): void {
    this.#connection.close();
  }

  #write<T>(work: (sql: Readonly<Record<keyof typeof SQL, StatementSync>>) => T): T {
    return this.#connection.write((database) => work(this.#prepared(database)));
  }

  #read<T>(work: (sql: Readonly<Record<keyof typeof SQL, StatementSync>>) => T): T {
    return this.#connection.read((database) => work(this.#prepared(database)));
  }

  #prepared(database: DatabaseSync): Readonly<Record<keyof typeof SQL, StatementSync>> {
    if (this.#sql === undefined || this.#generation !== this.#connection.generation) {
      const names = Object.keys(SQL) as (keyof typeof SQL)[];
      this.#sql = Object.fromEntries(
        names.map((name) => [name, database.prepare(SQL[name])]),
      ) as Record<keyof typeof SQL, StatementSync>;
      this.#generation = this.#connection.generation;
    }
    return this.#sql;
  }
}

function prepare(database: DatabaseSync): string | undefined {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  if (version === 0) database.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
  return version > VERSION ? `was written by a newer broker (schema ${version}).` : undefined;
}

function dropSession(
  sql: Readonly<Record<keyof typeof SQL, StatementSync>>,
  session: number,
): void {
  sql.dropQueue.run(session);
  sql.dropFilters.run(session);
  sql.dropSession.run(session);
}
