import type { MessageRow, Statements } from './statements.ts';

/** Of messages due at one moment (midnight …) so many enter the queue with each lease: the event loop waits. */
const ENTER_LOT = 1_000;

export interface Wanted {
  readonly now: number;
  readonly limit: number;
  /** Of these topics alone. `awake`: of all that are not paused; it is looked at each, as if they had been named. */
  readonly topics: readonly string[] | 'awake' | undefined;
}

/** `pauses`: it was not looked, because some topic is on pause: ask for what is `awake`. */
export type Found = 'nothing' | 'something' | 'pauses';

/** Whether a lease would change anything; it costs no disk write. */
export function lookFor(sql: Statements, { now, topics }: Wanted): Found {
  const named = namedIn(sql, topics, now);
  const row =
    named === undefined ? sql.anything.get({ now }) : sql.anythingOf.get({ now, ...named });
  return FOUND[Number(row?.found)] ?? 'nothing';
}

const FOUND: readonly Found[] = ['nothing', 'something', 'pauses'];

/** Lets enter the queue what has become due, and says what is leased, in order. */
export function rowsToLease(
  sql: Statements,
  { now, limit, topics }: Wanted,
): readonly MessageRow[] {
  for (const { seq } of sql.startable.all({ now, limit: Math.max(limit, ENTER_LOT) })) {
    sql.enter.run(Number(seq));
  }
  const named = namedIn(sql, topics, now);
  const [urgentFirst, inOrder] =
    named === undefined ? [sql.urgent, sql.due] : [sql.urgentOf, sql.dueOf];
  const urgent = urgentFirst.all({ now, limit, ...named });
  const others = inOrder.all({ now, limit: limit - urgent.length, ...named });
  return [...urgent, ...others] as unknown as MessageRow[];
}

function namedIn(sql: Statements, topics: Wanted['topics'], now: number) {
  if (topics === undefined) return undefined;
  const named = topics === 'awake' ? sql.awake.all({ now }).map(({ topic }) => topic) : topics;
  return { topics: JSON.stringify(named) };
}
