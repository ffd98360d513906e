import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuery } from './parse-query.ts';
import { postgresQuery } from './postgres-query.ts';

const TABLE = { select: 'SELECT * FROM state', live: 'live', prefix: 'app||' };

test('an empty query asks for everything', () => {
  assert.deepEqual(parseQuery('{"page":null,"sort":null,"filter":null}'), {
    filter: undefined,
    sort: [],
    limit: 0,
    token: '',
  });
});

test('filters nested without end are refused', () => {
  const both = (inner: string) => `{"AND":[${inner},{"EQ":{"a":1}}]}`;
  let filter = '{"EQ":{"a":1}}';
  for (let depth = 0; depth < 100; depth += 1) filter = both(filter);
  assert.throws(() => parseQuery(`{"filter":${filter}}`), {
    message: 'failed to parse JSON query body: filters are nested more than 64 deep',
  });
});

test('a token that no page has given is refused', () => {
  const tokens = ['-1', '1.5', '9223372036854775808'];
  const why = tokens.map((token) => {
    try {
      return postgresQuery(parseQuery(JSON.stringify({ page: { token } })), TABLE);
    } catch (error) {
      return (error as Error).message;
    }
  });
  assert.deepEqual(why, [
    'strconv.ParseInt: parsing "-1": invalid syntax',
    'strconv.ParseInt: parsing "1.5": invalid syntax',
    'strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ]);
});

test('nothing of a query is in the statement, and all of it in the parameters', () => {
  const query = parseQuery(
    JSON.stringify({
      filter: { OR: [{ EQ: { "a'b.c": 'x' } }, { LT: { n: 5 } }, { EQ: { o: { p: 1 } } }] },
      sort: [{ key: 's', order: 'desc' }],
      page: { limit: 3, token: '6' },
    }),
  );
  assert.deepEqual(postgresQuery(query, TABLE), {
    sql:
      'SELECT * FROM state WHERE live AND starts_with(key, $1::text) AND ' +
      '(value #>> $2::text[] = $3::text OR ' +
      '(jsonb_typeof(value #> $4::text[]) = $5::text AND value #> $6::text[] < $7::jsonb) OR ' +
      'value #> $8::text[] = $9::jsonb) ' +
      "ORDER BY NULLIF(value #> $10::text[], 'null'::jsonb) DESC LIMIT $11::bigint OFFSET $12::bigint",
    values: [
      'app||',
      ...[["a'b", 'c'], 'x'],
      ...[['n'], 'number', ['n'], '5'],
      ...[['o'], '{"p":1}'],
      ...[['s'], 3, 6],
    ],
  });
});
