import { goKind } from '../../go-json/go-kind.ts';
import { isRecord } from '../../resources/resource-files.ts';
import type { Comparison, Filter, SortBy, StateQuery } from './state-query.ts';

const COMPARISONS: readonly string[] = ['EQ', 'NEQ', 'GT', 'GTE', 'LT', 'LTE'];
/** Filters in filters: more is a mistake, or somebody who looks for the end of our stack. */
const DEEPEST = 64;
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads a query, with Dapr's words for what is none.
 *
 * @throws Error that says what is wrong with it.
 */
export function parseQuery(text: string): StateQuery {
  if (text.trim() === '') throw unparsed('unexpected end of JSON input');
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw unparsed((error as Error).message);
  }
  if (!isRecord(given)) {
    throw unparsed(
      `json: cannot unmarshal ${goKind(given)} into Go value of type query.QueryFields`,
    );
  }
  const filter = given.filter ?? {};
  if (!isRecord(filter)) throw wrongField('filter', filter, 'map[string]interface {}');
  const page = given.page ?? {};
  if (!isRecord(page)) throw wrongField('page', page, 'query.Pagination');
  return {
    filter: Object.keys(filter).length === 0 ? undefined : parseFilter(filter, 1),
    sort: sortBy(given.sort ?? []),
    limit: limitOf(page.limit ?? 0),
    token: tokenOf(page.token ?? ''),
  };
}

function parseFilter(given: unknown, depth: number): Filter {
  if (!isRecord(given)) throw unparsed('filter unit must be a map');
  if (depth > DEEPEST) throw unparsed(`filters are nested more than ${DEEPEST} deep`);
  const [one, ...more] = Object.entries(given);
  if (one === undefined || more.length > 0) {
    throw unparsed('filter unit must have a single element');
  }
  const [name, value] = one;
  if (name === 'AND' || name === 'OR') {
    if (!Array.isArray(value)) throw unparsed(`${name} filter must be an array`);
    if (value.length < 2) throw unparsed(`${name} filter must contain at least two entries`);
    const filters = value.map((each: unknown) => parseFilter(each, depth + 1));
    return { kind: name === 'AND' ? 'all' : 'any', filters };
  }
  if (name === 'IN') {
    const [path, values] = pair(name, value);
    if (!Array.isArray(values)) throw unparsed('IN filter value must be an array');
    if (values.length === 0) throw new Error(`empty IN operator for key "${path}"`);
    return { kind: 'in', path, values };
  }
  if (!COMPARISONS.includes(name)) throw unparsed(`unsupported filter "${name}"`);
  const [path, other] = pair(name, value);
  return { kind: 'compare', how: name as Comparison, path, with: other };
}

function pair(name: string, given: unknown): readonly [string, unknown] {
  if (!isRecord(given)) throw unparsed(`${name} filter must be a map`);
  const [one, ...more] = Object.entries(given);
  if (one === undefined || more.length > 0) {
    throw unparsed(`${name} filter must contain a single key/value pair`);
  }
  return one;
}

function sortBy(given: unknown): SortBy[] {
  if (!Array.isArray(given)) throw wrongField('sort', given, '[]query.Sorting');
  return given.map((each: unknown) => {
    if (!isRecord(each)) throw wrongField('sort', each, 'query.Sorting');
    const { key = '', order = '' } = each;
    if (typeof key !== 'string') throw wrongField('sort.key', key, 'string');
    const direction = typeof order === 'string' ? order.toUpperCase() : order;
    if (direction !== '' && direction !== 'ASC' && direction !== 'DESC') {
      throw new Error(
        `the order of sort key "${key}" must be ASC or DESC, not ${JSON.stringify(order)}`,
      );
    }
    return { path: key, descending: direction === 'DESC' };
  });
}

function limitOf(given: unknown): number {
  if (typeof given !== 'number' || !Number.isInteger(given)) {
    throw unparsed(
      `json: cannot unmarshal ${goKind(given)} into Go struct field Pagination.page.limit of type int`,
    );
  }
  return Math.max(0, given);
}

function tokenOf(given: unknown): string {
  if (typeof given !== 'string') {
    throw unparsed(
      `json: cannot unmarshal ${goKind(given)} into Go struct field Pagination.page.token of type string`,
    );
  }
  return given;
}

/**
 * How many items a token leaves out: that of Dapr's stores is their number.
 *
 * @throws Error for one that no page has given.
 */
export function skippedBy(token: string): number {
  if (token === '') return 0;
  if (!/^\d+$/.test(token)) throw new Error(`strconv.ParseInt: parsing "${token}": invalid syntax`);
  if (BigInt(token) > INT64_MAX) {
    throw new Error(`strconv.ParseInt: parsing "${token}": value out of range`);
  }
  return Number(token);
}

function wrongField(field: string, given: unknown, type: string): Error {
  return unparsed(
    `json: cannot unmarshal ${goKind(given)} into Go struct field QueryFields.${field} of type ${type}`,
  );
}

function unparsed(why: string): Error {
  return new Error(`failed to parse JSON query body: ${why}`);
}
