import { skippedBy } from './parse-query.ts';
import type { Comparison, Filter, SortBy, StateQuery } from './state-query.ts';

/** A statement and its parameters. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

const OPERATORS: Readonly<Record<Comparison, string>> = {
  EQ: '=',
  NEQ: '<>',
  GT: '>',
  GTE: '>=',
  LT: '<',
  LTE: '<=',
};

/**
 * A query as SQL over values in `jsonb`. Nothing of it gets into the text of the
 * statement: paths and values are parameters (daprd writes paths into it).
 *
 * What a query compares with decides how. Texts, and whether numbers are equal,
 * as daprd does: by the text of the value. Greater and less than a number, and
 * the order of a sort, by what they are: 9 is before 10, where daprd has the
 * texts "10" and "9".
 *
 * @param select what follows is its WHERE: `SELECT key, … FROM state`
 * @param live the condition of an item that has not expired
 * @param prefix only keys that begin with it
 */
export function postgresQuery(
  { filter, limit, sort, token }: StateQuery,
  {
    live,
    prefix,
    select,
  }: { readonly select: string; readonly live: string; readonly prefix: string },
): Statement {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const at = (path: string): string => `${parameter(path.split('.'))}::text[]`;

  const equal = (operator: string, path: string, value: unknown): string => {
    if (typeof value === 'object') {
      return `value #> ${at(path)} ${operator} ${parameter(JSON.stringify(value))}::jsonb`;
    }
    return `value #>> ${at(path)} ${operator} ${parameter(String(value))}::text`;
  };
  const compare = (how: Comparison, path: string, value: unknown): string => {
    const operator = OPERATORS[how];
    if (how === 'EQ' || how === 'NEQ' || typeof value === 'string') {
      return equal(operator, path, value);
    }
    // Of two kinds of value none is greater.
    const both = `jsonb_typeof(value #> ${at(path)}) = ${parameter(kindOf(value))}::text`;
    const side = `value #> ${at(path)} ${operator} ${parameter(JSON.stringify(value))}::jsonb`;
    return `(${both} AND ${side})`;
  };
  const condition = (one: Filter): string => {
    switch (one.kind) {
      case 'compare':
        return compare(one.how, one.path, one.with);
      case 'in':
        return `(${one.values.map((value) => equal('=', one.path, value)).join(' OR ')})`;
      case 'all':
        return `(${one.filters.map(condition).join(' AND ')})`;
      case 'any':
        return `(${one.filters.map(condition).join(' OR ')})`;
    }
  };
  // A value that is null is in the order where one that is not there is.
  const order = ({ descending, path }: SortBy): string =>
    `NULLIF(value #> ${at(path)}, 'null'::jsonb)${descending ? ' DESC' : ''}`;

  const where = [live];
  if (prefix !== '') where.push(`starts_with(key, ${parameter(prefix)}::text)`);
  if (filter !== undefined) where.push(condition(filter));
  let sql = `${select} WHERE ${where.join(' AND ')}`;
  if (sort.length > 0) sql += ` ORDER BY ${sort.map(order).join(', ')}`;
  if (limit > 0) sql += ` LIMIT ${parameter(limit)}::bigint`;
  const skip = skippedBy(token);
  if (skip > 0) sql += ` OFFSET ${parameter(skip)}::bigint`;
  return { sql, values };
}

/** As `jsonb_typeof` names it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
