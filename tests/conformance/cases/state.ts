const component = (name: string, type: string, metadata = '', version = 'v1') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: ${version}, metadata: [${metadata}] }
`;
export const COMPONENTS = [
  component('memory', 'state.in-memory'),
  component('bare', 'state.in-memory', '{ name: keyPrefix, value: none }'),
  component('sqlite', 'state.sqlite', '{ name: connectionString, value: "$FOLDER/state.db" }'),
  component('variables', 'secretstores.local.env'),
  component(
    'file',
    'secretstores.local.file',
    '{ name: secretsFile, value: "$FOLDER/resources/secrets.json" }',
  ),
].join('---');
/** Those over a database; `$URL` is where it is. */
export const POSTGRES = [
  component(
    'postgres',
    'state.postgresql',
    '{ name: connectionString, value: "$URL" }, { name: tableName, value: first }, { name: metadataTableName, value: first_metadata }',
  ),
  component(
    'queried',
    'state.postgresql',
    '{ name: connectionString, value: "$URL" }, { name: tableName, value: queried }, { name: metadataTableName, value: queried_metadata }',
  ),
  component(
    'postgres2',
    'state.postgresql',
    '{ name: connectionString, value: "$URL" }, { name: tablePrefix, value: second_ }',
    'v2',
  ),
].join('---');
export const SECRETS = '{"a":"1","db":{"user":"u","pass":"p"},"list":["x","y"]}';

/** A request and what it is answered: status and body; `{etag}` is the last ETag seen, `*` any text. */
export interface Step {
  readonly send: readonly [
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ];
  readonly expect: readonly [status: number, body?: unknown];
  /** Where daprd answers otherwise, and why we do not. */
  readonly daprd?: Otherwise;
  /** Where it does so over one kind of store only: by a pattern of its name. */
  readonly daprdOver?: readonly [store: RegExp, otherwise: Otherwise];
}

interface Otherwise {
  readonly why: string;
  readonly expect: readonly [status: number, body?: unknown];
}

export const item = (key: string, value: unknown, more: object = {}) => [{ key, value, ...more }];
export const error = (errorCode: string, message: string) => ({ errorCode, message });
const conflict = (code: string, what: string) =>
  [409, error(code, `${what}: possible etag mismatch. error from state store*`)] as const;
export const details = (reason: string, ...more: object[]) => [
  ...more,
  {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    domain: 'dapr.io',
    metadata: null,
    reason,
  },
];
export const resource = (store: string) => ({
  '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
  description: '',
  owner: '',
  resource_name: store,
  resource_type: 'state',
});
const illegal = (store: string) => {
  const message =
    "api error: code = InvalidArgument desc = input key/keyPrefix 'a||b' can't contain '||'";
  const violations = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    field_violations: [{ field: 'a||b', description: message }],
  };
  return {
    ...error('ERR_MALFORMED_REQUEST', message),
    details: details('DAPR_STATE_ILLEGAL_KEY', violations, resource(store)),
  };
};
const notFound = {
  ...error('ERR_STATE_STORE_NOT_FOUND', 'state store nowhere is not found'),
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      domain: 'dapr.io',
      metadata: { appID: 'caller' },
      reason: 'DAPR_STATE_NOT_FOUND',
    },
  ],
};

/** Of each store; `$S` is its name. */
export const STATE: Readonly<Record<string, readonly Step[]>> = {
  'what was saved comes back, with an etag': [
    { send: ['POST', '$S', item('k1', { a: 1 })], expect: [204, ''] },
    { send: ['GET', '$S/k1'], expect: [200, { a: 1 }] },
  ],
  'PUT saves as POST does': [
    { send: ['PUT', '$S', item('k2', 'text')], expect: [204, ''] },
    { send: ['GET', '$S/k2'], expect: [200, 'text'] },
  ],
  'every kind of JSON comes back as it was': [
    {
      send: [
        'POST',
        '$S',
        [...item('n1', null), ...item('n2', 5), ...item('n3', [1, 'x']), ...item('n4', true)],
      ],
      expect: [204, ''],
    },
    { send: ['GET', '$S/n1'], expect: [200, null] },
    { send: ['GET', '$S/n2'], expect: [200, 5] },
    { send: ['GET', '$S/n3'], expect: [200, [1, 'x']] },
    { send: ['GET', '$S/n4'], expect: [200, true] },
  ],
  'a key that is not there is an empty 204': [{ send: ['GET', '$S/none'], expect: [204, ''] }],
  'an empty list is fine': [{ send: ['POST', '$S', []], expect: [204, ''] }],
  'an object is no list': [
    {
      send: ['POST', '$S', { key: 1 }],
      expect: [
        400,
        error(
          'ERR_MALFORMED_REQUEST',
          'json: cannot unmarshal object into Go value of type []state.SetRequest',
        ),
      ],
    },
  ],
  'what is no JSON is refused': [
    { send: ['POST', '$S', '{nonsense'], expect: [400, error('ERR_MALFORMED_REQUEST', '*')] },
    {
      send: ['POST', '$S/bulk', 'x'],
      expect: [400, error('ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: *')],
    },
    {
      send: ['POST', '$S/transaction', 'x'],
      expect: [400, error('ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: *')],
    },
  ],
  'an item needs a key': [
    {
      send: ['POST', '$S', [{ value: 1 }]],
      expect: [400, error('ERR_MALFORMED_REQUEST', '"key" is a required field')],
    },
  ],
  'a key must not hold the separator': [
    { send: ['POST', '$S', item('a||b', 1)], expect: [400, illegal('$S')] },
    { send: ['GET', '$S/a%7C%7Cb'], expect: [400, illegal('$S')] },
    { send: ['DELETE', '$S/a%7C%7Cb'], expect: [400, illegal('$S')] },
  ],
  'the right etag writes, a wrong one conflicts': [
    { send: ['POST', '$S', item('e1', 1)], expect: [204, ''] },
    { send: ['GET', '$S/e1'], expect: [200, 1] },
    {
      send: ['POST', '$S', item('e1', 2, { etag: '99' })],
      expect: conflict('ERR_STATE_SAVE', 'failed saving state in state store $S'),
    },
    { send: ['POST', '$S', item('e1', 2, { etag: '{etag}' })], expect: [204, ''] },
    {
      send: ['POST', '$S', item('e1', 3, { etag: '{etag}' })],
      expect: conflict('ERR_STATE_SAVE', 'failed saving state in state store $S'),
    },
    { send: ['GET', '$S/e1'], expect: [200, 2] },
  ],
  'an etag of what is not there conflicts': [
    {
      send: ['POST', '$S', item('e2', 2, { etag: '99' })],
      expect: conflict('ERR_STATE_SAVE', 'failed saving state in state store $S'),
    },
  ],
  'first-write without an etag writes once': [
    {
      send: ['POST', '$S', item('f1', 1, { options: { concurrency: 'first-write' } })],
      expect: [204, ''],
    },
    {
      send: ['POST', '$S', item('f1', 2, { options: { concurrency: 'first-write' } })],
      expect: conflict('ERR_STATE_SAVE', 'failed saving state in state store $S'),
      daprdOver: [
        /^postgres/,
        {
          why: 'somebody was first: a conflict over every store of ours, and not held against it',
          expect: [
            500,
            error('ERR_STATE_SAVE', 'failed saving state in state store $S: no item was updated'),
          ],
        },
      ],
    },
    {
      send: ['POST', '$S', item('f1', 3, { options: { concurrency: 'last-write' } })],
      expect: [204, ''],
    },
    { send: ['GET', '$S/f1'], expect: [200, 3] },
  ],
  'options that do not exist are refused': [
    {
      send: ['POST', '$S', item('o1', 1, { options: { concurrency: 'nonsense' } })],
      expect: [
        500,
        error(
          'ERR_STATE_SAVE',
          "failed saving state in state store $S: unrecognized concurrency model 'nonsense'",
        ),
      ],
    },
    {
      send: ['POST', '$S', item('o1', 1, { options: { consistency: 'nonsense' } })],
      expect: [
        500,
        error(
          'ERR_STATE_SAVE',
          "failed saving state in state store $S: unrecognized consistency model 'nonsense'",
        ),
      ],
    },
  ],
  'delete takes away, and what is not there as well': [
    { send: ['POST', '$S', item('d1', 1)], expect: [204, ''] },
    { send: ['DELETE', '$S/d1'], expect: [204, ''] },
    { send: ['GET', '$S/d1'], expect: [204, ''] },
    { send: ['DELETE', '$S/d1'], expect: [204, ''] },
  ],
  'delete with If-Match asks for the etag': [
    { send: ['POST', '$S', item('d2', 1)], expect: [204, ''] },
    { send: ['GET', '$S/d2'], expect: [200, 1] },
    {
      send: ['DELETE', '$S/d2', undefined, { 'if-match': '99' }],
      expect: conflict('ERR_STATE_DELETE', 'failed deleting state with key d2'),
    },
    { send: ['DELETE', '$S/d2', undefined, { 'if-match': '{etag}' }], expect: [204, ''] },
    { send: ['GET', '$S/d2'], expect: [204, ''] },
  ],
  'bulk get answers in the order asked': [
    { send: ['POST', '$S', [...item('b1', 1), ...item('b2', { x: 2 })]], expect: [204, ''] },
    {
      send: ['POST', '$S/bulk', { keys: ['b2', 'none', 'b1'], parallelism: 2 }],
      expect: [
        200,
        [
          { key: 'b2', data: { x: 2 }, etag: '*' },
          { key: 'none' },
          { key: 'b1', data: 1, etag: '*' },
        ],
      ],
    },
    { send: ['PUT', '$S/bulk', { keys: [] }], expect: [200, []] },
  ],
  'a transaction does all': [
    { send: ['POST', '$S', item('t1', 1)], expect: [204, ''] },
    {
      send: [
        'POST',
        '$S/transaction',
        {
          operations: [
            { operation: 'upsert', request: { key: 't2', value: 2 } },
            { operation: 'delete', request: { key: 't1' } },
          ],
        },
      ],
      expect: [204, ''],
    },
    { send: ['GET', '$S/t2'], expect: [200, 2] },
    { send: ['GET', '$S/t1'], expect: [204, ''] },
  ],
  'or nothing': [
    { send: ['POST', '$S', item('t3', 1)], expect: [204, ''] },
    {
      send: [
        'POST',
        '$S/transaction',
        {
          operations: [
            { operation: 'upsert', request: { key: 't4', value: 2 } },
            { operation: 'upsert', request: { key: 't3', value: 9, etag: '99' } },
          ],
        },
      ],
      expect: [
        500,
        error(
          'ERR_STATE_TRANSACTION',
          'error while executing state transaction: possible etag mismatch. error from state store*',
        ),
      ],
    },
    { send: ['GET', '$S/t4'], expect: [204, ''] },
    { send: ['GET', '$S/t3'], expect: [200, 1] },
  ],
  'a transaction knows upsert and delete': [
    {
      send: [
        'POST',
        '$S/transaction',
        { operations: [{ operation: 'frob', request: { key: 'x', value: 1 } }] },
      ],
      expect: [
        400,
        error('ERR_NOT_SUPPORTED_STATE_OPERATION', 'operation type frob not supported'),
      ],
    },
    { send: ['POST', '$S/transaction', { operations: [] }], expect: [204, ''] },
  ],
  'a time to live that is no number is refused': [
    {
      send: ['POST', '$S', item('l1', 1, { metadata: { ttlInSeconds: 'x' } })],
      expect: [
        500,
        error('ERR_STATE_SAVE', 'failed saving state in state store $S: *invalid syntax*'),
      ],
    },
  ],
  'a query is not supported, and says so': [
    {
      send: ['POST', '../v1.0-alpha1/state/$S/query', { filter: {} }],
      expect: [
        500,
        {
          ...error('ERR_STATE_STORE_NOT_SUPPORTED', 'state store does not support querying'),
          details: details('DAPR_STATE_QUERYING_NOT_SUPPORTED', resource('$S')),
        },
      ],
    },
  ],
};

export const OTHERS: Readonly<Record<string, readonly Step[]>> = {
  'a store that is not there is 400, whatever is asked of it': [
    { send: ['GET', 'nowhere/k'], expect: [400, notFound] },
    { send: ['POST', 'nowhere', []], expect: [400, notFound] },
    { send: ['DELETE', 'nowhere/k'], expect: [400, notFound] },
    { send: ['POST', 'nowhere/bulk', { keys: [] }], expect: [400, notFound] },
    { send: ['POST', 'nowhere/transaction', { operations: [] }], expect: [400, notFound] },
  ],
  'secrets of a file, nested keys joined': [
    { send: ['GET', '../v1.0/secrets/file/a'], expect: [200, { a: '1' }] },
    { send: ['GET', '../v1.0/secrets/file/db:user'], expect: [200, { 'db:user': 'u' }] },
    { send: ['GET', '../v1.0/secrets/file/list:1'], expect: [200, { 'list:1': 'y' }] },
    {
      send: ['GET', '../v1.0/secrets/file/db'],
      expect: [
        500,
        error(
          'ERR_SECRET_GET',
          'failed getting secret with key db from secret store file: secret db not found',
        ),
      ],
    },
    {
      send: ['GET', '../v1.0/secrets/file/bulk'],
      expect: [
        200,
        {
          a: { a: '1' },
          'db:pass': { 'db:pass': 'p' },
          'db:user': { 'db:user': 'u' },
          'list:0': { 'list:0': 'x' },
          'list:1': { 'list:1': 'y' },
        },
      ],
    },
  ],
  'secrets of the environment, empty where there is none': [
    {
      send: ['GET', '../v1.0/secrets/variables/HOLDFAST_TEST_SECRET'],
      expect: [200, { HOLDFAST_TEST_SECRET: 'hush' }],
    },
    {
      send: ['GET', '../v1.0/secrets/variables/NO_SUCH_VARIABLE'],
      expect: [200, { NO_SUCH_VARIABLE: '' }],
    },
  ],
  'a secret store that is not there is 401': [
    {
      send: ['GET', '../v1.0/secrets/nowhere/x'],
      expect: [
        401,
        error('ERR_SECRET_STORE_NOT_FOUND', 'failed finding secret store with key nowhere'),
      ],
    },
  ],
};
