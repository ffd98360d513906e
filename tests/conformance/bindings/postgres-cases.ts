import { type BindingCase, failed, op, said } from '../cases/binding-case.ts';

const SQL = 'sqldb';

/** `row` is how the answer writes the one row; `daprd`, why it writes it otherwise. */
const value = (
  name: string,
  sql: string,
  row: string,
  daprd?: { readonly why: string; readonly row: string },
): BindingCase => ({
  name,
  to: SQL,
  body: op('query', { sql }),
  expect: said(`[${row}]`, { operation: 'query' }),
  ...(daprd === undefined ? {} : { daprd: { why: daprd.why, expect: said(`[${daprd.row}]`) } }),
});

const asked = (
  name: string,
  params: string,
  expect: BindingCase['expect'],
  sql = 'select $1::int, $2::text, $3::bool, $4::jsonb, $5::int[], $6::text',
): BindingCase => ({ name, to: SQL, body: op('query', { sql, params }), expect });

const exec = (name: string, sql: string, rows: string, params?: string): BindingCase => ({
  name,
  to: SQL,
  body: op('exec', { sql, ...(params === undefined ? {} : { params }) }),
  expect: said('', { operation: 'exec', 'rows-affected': rows }),
});

const unreadable = (why: string) =>
  failed(`invalid metadata property params: failed to unserialize into an array: ${why}`);

/** What `bindings.postgresql` answers, one after the other: what one has written the next reads. */
export const POSTGRES_BINDINGS: readonly BindingCase[] = [
  value(
    'whole numbers',
    'select 1::int2, 2::int4, 9007199254740993::int8, 4::oid',
    '[1,2,9007199254740993,4]',
  ),
  value(
    'fractions',
    'select 1.5::float4, 100.32::float8, 1e21::float8, 1e-7::float8, 0.1::float4',
    '[1.5,100.32,1e+21,1e-7,0.1]',
  ),
  value(
    'numbers of any length',
    "select 1.10::numeric(10,2), 0.00::numeric(5,2), 12345678901234567890.123456789, 'NaN'::numeric",
    '[1.10,0,12345678901234567890.123456789,"NaN"]',
  ),
  value('a number without end', "select 'Infinity'::numeric", '["Infinity"]', {
    why: 'its driver makes it 0, which is another number',
    row: '[0]',
  }),
  value(
    'texts',
    "select 'a<b>'::text, 'x'::varchar(5), 'y'::char(3)",
    '["a\\u003cb\\u003e","x","y  "]',
  ),
  value('truths and nothing', 'select true, false, null::bool', '[true,false,null]'),
  value('bytes', "select '\\xdeadbeef'::bytea, ''::bytea", '["3q2+7w==",""]'),
  value(
    'JSON',
    `select '{"b": 1.0, "a": [1, null]}'::json, '{"b": 1e2, "a": 2}'::jsonb`,
    '[{"a":[1,null],"b":1},{"a":2,"b":100}]',
  ),
  value(
    'a UUID, and addresses',
    "select '00000000-0000-0000-0000-0000000000ff'::uuid, '10.0.0.1'::inet, '::1'::inet, '08:00:2b:01:02:03'::macaddr",
    '[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,255],"10.0.0.1/32","::1/128","CAArAQID"]',
  ),
  value(
    'moments',
    "select '2024-02-29'::date, '2024-02-29 12:34:56.780'::timestamp, 'infinity'::timestamp, '-infinity'::date",
    '["2024-02-29T00:00:00Z","2024-02-29T12:34:56.78Z",1,-1]',
  ),
  value('a time', "select '12:34:56'::time", '[{"Microseconds":45296000000,"Valid":true}]'),
  value(
    'lists, one in another as one',
    `select '{1,2,null}'::int[], '{{1,2},{3,4}}'::int[], array['a','b"c',null,'x,y','']::text[], '{1.50}'::numeric[]`,
    '[[1,2,null],[1,2,3,4],["a","b\\"c",null,"x,y",""],[1.50]]',
  ),
  value('two rows', "select * from (values (1, 'a'), (2, 'b')) t(a, b)", '[1,"a"],[2,"b"]'),
  value('no row', 'select 1 where false', ''),
  value('a range is its text', "select '[1,3)'::int4range", '["[1,3)"]', {
    why: 'its driver has a struct for it',
    row: '[{"Lower":1,"Upper":3,"LowerType":105,"UpperType":101,"Valid":true}]',
  }),
  {
    name: 'a number that JSON does not have',
    to: SQL,
    body: op('query', { sql: "select 'NaN'::float8" }),
    expect: failed('error serializing results: json: unsupported value: NaN'),
  },
  asked(
    'parameters of every kind',
    '[1, "a", true, {"a": 1}, [1, 2], null]',
    said('[[1,"a",true,{"a":1},[1,2],null]]'),
  ),
  asked(
    'a parameter too many',
    '[1]',
    failed('error executing query: expected 0 arguments, got 1'),
    'select 1',
  ),
  asked(
    'a parameter too few',
    '[]',
    failed('error executing query: expected 1 arguments, got 0'),
    'select $1::int',
  ),
  asked(
    'parameters that are no JSON',
    'nope',
    unreadable("invalid character 'o' in literal null (expecting 'u')"),
  ),
  asked(
    'parameters that are no list',
    '{"a":1}',
    unreadable('json: cannot unmarshal object into Go value of type []interface {}'),
  ),
  asked('null for parameters', 'null', said('[[1]]'), 'select 1'),
  exec('a table is made', 'create table told (a int primary key, b text)', '0'),
  exec('rows are written', "insert into told values (1, 'x'), (2, 'y')", '2'),
  exec('a row of parameters', 'insert into told values ($1, $2)', '1', '[3, "three"]'),
  exec(
    'several statements, of which the last counts',
    "insert into told values (4, 'z'); delete from told where a < 3",
    '2',
  ),
  {
    name: 'several statements with parameters',
    to: SQL,
    body: op('exec', { sql: 'insert into told values ($1, $2); select 1', params: '[5, "x"]' }),
    expect: failed(
      'error executing query: ERROR: cannot insert multiple commands into a prepared statement (SQLSTATE 42601)',
    ),
  },
  {
    name: 'a row that is there already',
    to: SQL,
    body: op('exec', { sql: "insert into told values (3, 'again')" }),
    expect: failed(
      'error executing query: ERROR: duplicate key value violates unique constraint "told_pkey" (SQLSTATE 23505)',
    ),
  },
  exec('a transaction that is left open', 'begin; delete from told', '2'),
  value('has come to nothing', 'select count(*) from told', '[2]'),
  exec('a row that a query writes', 'select * from told', '2'),
  value('is answered', "insert into told values (9, 'nine') returning a, b", '[9,"nine"]'),
  {
    name: 'a query that fails on its way',
    to: SQL,
    body: op('query', { sql: 'select 1/(3-x) from generate_series(1,5) x' }),
    expect: failed('error executing query: ERROR: division by zero (SQLSTATE 22012)'),
    daprd: {
      why: 'it tells of the rows before the failure, and not of the failure',
      expect: said('[[0],[1]]'),
    },
  },
  {
    name: 'no statement',
    to: SQL,
    body: op('exec', {}),
    expect: failed('required metadata not set: sql'),
  },
  {
    name: 'no such table',
    to: SQL,
    body: op('query', { sql: 'select * from nowhere' }),
    expect: failed(
      'error executing query: ERROR: relation "nowhere" does not exist (SQLSTATE 42P01)',
    ),
  },
  {
    name: 'an operation that it does not have',
    to: SQL,
    body: op('create', { sql: 'select 1' }),
    expect: failed(
      'binding sqldb does not support operation create. supported operations:exec query close',
    ),
  },
];
