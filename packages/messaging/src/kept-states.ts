import type { MessageStatus } from './store.ts';

/** States of a message in the tables of a store, which SQLite and PostgreSQL number alike. */
export const QUEUED = 0;
export const DELIVERED = 1;
export const DEAD = 2;
/** Queued, and not in the queue before `start_ms`. */
export const SCHEDULED = 3;

/** The reasons by which a withdrawn message, and one that another took the place of, are told from a delivered one. */
export const WITHDRAWN = 'withdrawn';
export const REPLACED = 'replaced';

/** What a row says of its message. */
export function stateOf(row: {
  readonly id: string;
  readonly state: number;
  readonly reason: string | null;
}): MessageStatus['state'] {
  switch (row.state) {
    case QUEUED:
    case SCHEDULED:
      return 'queued';
    case DELIVERED:
      return row.reason === WITHDRAWN || row.reason === REPLACED ? row.reason : 'delivered';
    case DEAD:
      return 'dead';
  }
  throw new Error(`unreachable: message ${row.id} is in state ${row.state}`);
}
