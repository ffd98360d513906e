import type { Statements, Totals } from './statements.ts';

/** Deleting remembered ids one by one would cost a statement per message; so in lots. */
const TRIM_LOT = 1_000;

/** Forgets ids beyond those that are to be remembered. */
export function trimRemembered(sql: Statements, totals: Totals, remember: number): void {
  const surplus = totals.remembered - remember;
  if (surplus <= (remember === 0 ? 0 : TRIM_LOT)) return;
  totals.remembered -= Number(sql.trim.run(surplus).changes);
}
