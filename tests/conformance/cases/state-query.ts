import { details, error, resource, type Step } from './state.ts';

const query = (body: unknown, store = '$S'): Step['send'] => [
  'POST',
  `../v1.0-alpha1/state/${store}/query`,
  body,
];
const person = (org: string, id: number) => ({ org, id });
const PEOPLE = {
  ann: { person: person('Dev', 9), city: 'Seattle' },
  bob: { person: person('Ops', 10), city: 'Portland' },
  cid: { person: person('Dev', 100), city: 'Seattle' },
  dot: { person: person('Ops', 1.5), city: "O'Hara" },
  eve: { city: 'Seattle', person: { org: 'Dev', id: null } },
};
const found = (...keys: readonly (keyof typeof PEOPLE)[]) =>
  [200, { results: keys.map((key) => ({ key, data: PEOPLE[key], etag: '*' })) }] as const;
const failed = (why: string): Step['expect'] => [
  500,
  {
    ...error('ERR_STATE_QUERY', `state store $S query failed: ${why}`),
    details: details('DAPR_STATE_QUERY_FAILED', resource('$S')),
  },
];
const BY_CITY = [{ key: 'city' }, { key: 'person.id' }];
const AS_TEXT = 'it compares and sorts the texts of numbers, where "10" is before "9"';

const fill: Step = {
  send: ['POST', '$S', Object.entries(PEOPLE).map(([key, value]) => ({ key, value }))],
  expect: [204, ''],
};

/** The query API, over a store that has it; `$S` has nothing else in it. */
export const QUERIES: Readonly<Record<string, readonly Step[]>> = {
  'a query finds by the text of a value, deep in it too': [
    fill,
    {
      send: query({
        filter: { EQ: { 'person.org': 'Dev' } },
        sort: [{ key: 'city' }, { key: 'person.id', order: 'DESC' }],
      }),
      // What is null is before the others where the order is descending.
      expect: found('eve', 'cid', 'ann'),
      daprd: { why: AS_TEXT, expect: found('eve', 'ann', 'cid') },
    },
    { send: query({ filter: { EQ: { 'person.id': 10 } } }), expect: found('bob') },
    { send: query({ filter: { EQ: { city: "O'Hara" } } }), expect: found('dot') },
    { send: query({ filter: { EQ: { city: 'Rome' } } }), expect: [204, ''] },
    {
      send: query({ filter: { NEQ: { city: 'Seattle' } }, sort: [{ key: 'city' }] }),
      expect: found('dot', 'bob'),
    },
    {
      send: query({ filter: { IN: { city: ['Portland', "O'Hara"] } }, sort: BY_CITY }),
      expect: found('dot', 'bob'),
    },
  ],
  'a query joins filters with AND and OR': [
    {
      send: query({ filter: { AND: [{ EQ: { city: 'Seattle' } }, { EQ: { 'person.id': 9 } }] } }),
      expect: found('ann'),
    },
    {
      send: query({
        filter: {
          OR: [
            { EQ: { city: 'Portland' } },
            { AND: [{ EQ: { 'person.org': 'Dev' } }, { IN: { 'person.id': [9, 11] } }] },
          ],
        },
        sort: BY_CITY,
      }),
      expect: found('bob', 'ann'),
    },
  ],
  'numbers are compared as numbers': [
    {
      send: query({ filter: { GT: { 'person.id': 9 } }, sort: [{ key: 'person.id' }] }),
      expect: found('bob', 'cid'),
      daprd: { why: AS_TEXT, expect: [204, ''] },
    },
    {
      send: query({
        filter: { LTE: { 'person.id': 9 } },
        sort: [{ key: 'person.id', order: 'desc' }],
      }),
      expect: found('ann', 'dot'),
      daprd: { why: AS_TEXT, expect: found('ann', 'cid', 'bob', 'dot') },
    },
    {
      send: query({
        filter: { GTE: { city: 'P' } },
        sort: [
          { key: 'city', order: 'DESC' },
          { key: 'person.org' },
          { key: 'person.id', order: 'DESC' },
        ],
      }),
      expect: found('eve', 'cid', 'ann', 'bob'),
      daprd: {
        why: 'it takes numbers only',
        expect: failed('unsupported type of value P; string type not permitted'),
      },
    },
  ],
  'an object is equal to one that holds the same': [
    {
      send: query({ filter: { EQ: { person: { id: 9, org: 'Dev' } } } }),
      expect: found('ann'),
      daprd: { why: 'it compares it with how PostgreSQL writes it', expect: [204, ''] },
    },
  ],
  'a query gives pages, each with where the next begins': [
    {
      send: query({ sort: [{ key: 'city' }, { key: 'person.org' }], page: { limit: 2 } }),
      expect: [200, { ...found('dot', 'bob')[1], token: '2' }],
    },
    {
      send: query({ sort: [{ key: 'city' }], page: { limit: 1, token: '1' } }),
      expect: [200, { ...found('bob')[1], token: '2' }],
    },
    { send: query({ page: { limit: 2, token: '5' } }), expect: [204, ''] },
    {
      send: query({ page: { token: 'x' } }),
      expect: failed('strconv.ParseInt: parsing "x": invalid syntax'),
    },
  ],
  'a query that is none says why': [
    {
      send: query(''),
      expect: failed('failed to parse JSON query body: unexpected end of JSON input'),
    },
    { send: query('nonsense'), expect: failed('failed to parse JSON query body: *') },
    {
      send: query([]),
      expect: failed(
        'failed to parse JSON query body: json: cannot unmarshal array into Go value of type query.QueryFields',
      ),
    },
    {
      send: query({ filter: 5 }),
      expect: failed(
        'failed to parse JSON query body: json: cannot unmarshal number into Go struct field QueryFields.filter of type map[string]interface {}',
      ),
    },
    {
      send: query({ filter: { FOO: {} } }),
      expect: failed('failed to parse JSON query body: unsupported filter "FOO"'),
    },
    {
      send: query({ filter: { EQ: 5 } }),
      expect: failed('failed to parse JSON query body: EQ filter must be a map'),
    },
    {
      send: query({ filter: { EQ: { a: 1, b: 2 } } }),
      expect: failed(
        'failed to parse JSON query body: EQ filter must contain a single key/value pair',
      ),
    },
    {
      send: query({ filter: { EQ: { a: 1 }, NEQ: { a: 1 } } }),
      expect: failed('failed to parse JSON query body: filter unit must have a single element'),
    },
    {
      send: query({ filter: { AND: [{ EQ: { a: 1 } }] } }),
      expect: failed(
        'failed to parse JSON query body: AND filter must contain at least two entries',
      ),
    },
    {
      send: query({ filter: { OR: {} } }),
      expect: failed('failed to parse JSON query body: OR filter must be an array'),
    },
    {
      send: query({ filter: { IN: { a: 'x' } } }),
      expect: failed('failed to parse JSON query body: IN filter value must be an array'),
    },
    { send: query({ filter: { IN: { a: [] } } }), expect: failed('empty IN operator for key "a"') },
    { send: query({ sort: [{ key: 'city', order: 'SIDEWAYS' }] }), expect: failed('*SIDEWAYS*') },
    {
      send: query({ page: { limit: '1' } }),
      expect: failed(
        'failed to parse JSON query body: json: cannot unmarshal string into Go struct field Pagination.page.limit of type int',
      ),
    },
  ],
  'a path is never a part of the statement': [
    {
      send: query({
        filter: { EQ: { "x' IS NULL OR 'a": 'b' } },
        sort: BY_CITY,
        page: { limit: 1 },
      }),
      expect: [204, ''],
      daprd: {
        why: 'it writes the path into the statement, which then finds everything',
        expect: [200, { ...found('dot')[1], token: '1' }],
      },
    },
  ],
};
