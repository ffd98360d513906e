import { QUEUED } from '../kept-states.ts';
import type { Connection } from './connection.ts';

const TOPIC_INDEXES = `
  CREATE INDEX IF NOT EXISTS message_topic ON message (topic, seq) WHERE state = ${QUEUED};
  CREATE INDEX IF NOT EXISTS message_topic_urgent ON message (topic, priority DESC, seq) WHERE state = ${QUEUED} AND priority > 0;
`;
const LAST = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = 'message_topic_urgent'";

/**
 * The indexes that leasing by topic needs. They are made when topics are first named: an outbox, whose relay takes all,
 * does not pay for them. No new version of the file: SQLite keeps them up whoever writes.
 */
export class TopicIndexes {
  readonly #connection: Connection;
  #generation = -1;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Once for each connection: another file may have been put in its place. */
  make(): void {
    if (this.#generation === this.#connection.generation) return;
    const made = this.#connection.read((database) => database.prepare(LAST).get() !== undefined);
    if (!made) this.#connection.write((database) => database.exec(TOPIC_INDEXES));
    this.#generation = this.#connection.generation;
  }
}
