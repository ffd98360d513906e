import { DatabaseSync } from 'node:sqlite';

/**
 * The floor: `node:sqlite` by hand with the same durability and the same useful columns (an id
 * that is unique and sorts, topic, key, headers, body, time), and nothing of what an outbox does.
 */
export function rawSqlite(path: string) {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec(
    'CREATE TABLE message (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, key TEXT, headers TEXT, body BLOB NOT NULL, accepted_ms INTEGER NOT NULL) STRICT',
  );
  const insert = database.prepare(
    'INSERT INTO message (id, topic, key, headers, body, accepted_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  let made = 0;
  return {
    insertGroup(bodies: readonly string[]): void {
      database.exec('BEGIN IMMEDIATE');
      for (const body of bodies) {
        const id = `event-${String(++made).padStart(30, '0')}`;
        insert.run(id, 'events', null, '', Buffer.from(body), Date.now());
      }
      database.exec('COMMIT');
    },
    close: () => database.close(),
  };
}
