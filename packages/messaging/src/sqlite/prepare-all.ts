import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Prepares each of `texts`, under its name. */
export function prepareAll<Name extends string>(
  database: DatabaseSync,
  texts: Readonly<Record<Name, string>>,
): Readonly<Record<Name, StatementSync>> {
  const prepared: Partial<Record<Name, StatementSync>> = {};
  for (const name of Object.keys(texts) as Name[]) prepared[name] = database.prepare(texts[name]);
  return prepared as Readonly<Record<Name, StatementSync>>;
}
