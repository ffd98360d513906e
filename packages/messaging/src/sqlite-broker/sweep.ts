import { acknowledge, countOff, type Statements } from './statements.ts';

/** Removes up to `limit` messages whose time is over and that nobody has in hand. */
export function sweepExpired(sql: Statements, now: number, limit: number): void {
  let gone = 0;
  for (const { seq } of sql.expired.all({ now, limit })) {
    const { changes } = sql.withdraw.run({ now, seq: Number(seq) });
    sql.less.run(changes, Number(seq));
    gone += Number(sql.clear.run(Number(seq)).changes);
  }
  if (gone > 0) countOff(sql, gone);
}

/** Removes groups that nobody has been in since `before`, and what waited for them. */
export function forgetGroups(sql: Statements, before: number): void {
  for (const { id } of sql.unseen.all({ before })) {
    const group = Number(id);
    for (const { seq } of sql.waitingOf.all(group)) acknowledge(sql, group, Number(seq));
    sql.forget.run(group);
  }
}
