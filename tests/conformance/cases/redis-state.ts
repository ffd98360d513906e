import { item, STATE, type Step } from './state.ts';

const component = (name: string, type: string, port: number, more = '') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [{ name: redisHost, value: "127.0.0.1:${port}" }, { name: redisPassword, value: "" }${more}] }
`;
export const redisComponents = (port: number) =>
  [
    component('redis', 'state.redis', port),
    component('mortal', 'state.redis', port, ', { name: ttlInSeconds, value: "1000" }'),
  ].join('---');

const error = (errorCode: string, message: string) => ({ errorCode, message });
const failed = 'failed saving state in state store redis';

/** Where the real `state.redis` answers otherwise than Dapr's other stores, by case and step; ours answers as they do. */
const DAPR: Readonly<Record<string, Readonly<Record<number, Step['daprd']>>>> = {
  'first-write without an etag writes once': {
    1: {
      why: 'a conflict is a failure of the store there, and would open its circuit',
      expect: [500, error('ERR_STATE_SAVE', `${failed}: failed to set key caller||f1: *`)],
    },
    2: {
      why: 'an item once written first is closed to last-write for ever',
      expect: [500, error('ERR_STATE_SAVE', `${failed}: failed to set key caller||f1: *`)],
    },
    3: { why: 'as above', expect: [200, 1] },
  },
  'or nothing': {
    1: {
      why: 'only the words: Redis’ own',
      expect: [
        500,
        error('ERR_STATE_TRANSACTION', 'error while executing state transaction: ERR *'),
      ],
    },
    2: { why: 'what does not conflict is written all the same', expect: [200, 2] },
  },
  'a query is not supported, and says so': {
    0: {
      why: 'it would support one, had this Redis the module for it',
      expect: [
        500,
        {
          ...error(
            'ERR_STATE_QUERY',
            'state store redis query failed: redis-json server support is required for query capability',
          ),
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
              description: '',
              owner: '',
              resource_name: 'redis',
              resource_type: 'state',
            },
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              domain: 'dapr.io',
              metadata: null,
              reason: 'DAPR_STATE_QUERY_FAILED',
            },
          ],
        },
      ],
    },
  },
};

const { 'an etag of what is not there conflicts': _, ...OF_ALL } = STATE;

/** The table of all stores, and what is Redis' own. */
export const REDIS_STATE: Readonly<Record<string, readonly Step[]>> = {
  ...Object.fromEntries(
    Object.entries(OF_ALL).map(([name, steps]) => [
      name,
      steps.map((step, at) => {
        const daprd = DAPR[name]?.[at];
        return daprd === undefined ? step : { ...step, daprd };
      }),
    ]),
  ),
  'an etag is compared with one that is there alone': [
    { send: ['POST', '$S', item('e2', 2, { etag: '99' })], expect: [204, ''] },
    {
      send: ['POST', '$S', item('e2', 3, { etag: '99' })],
      expect: [
        409,
        error('ERR_STATE_SAVE', `${failed}: possible etag mismatch. error from state store: *`),
      ],
    },
    { send: ['DELETE', '$S/e3', undefined, { 'if-match': '99' }], expect: [204, ''] },
  ],
  'an etag that is no number is a bad request': [
    { send: ['POST', '$S', item('r1', 1)], expect: [204, ''] },
    {
      send: ['POST', '$S', item('r1', 2, { etag: 'abc' })],
      expect: [
        400,
        error(
          'ERR_STATE_SAVE',
          `${failed}: invalid etag value: strconv.Atoi: parsing "abc": invalid syntax`,
        ),
      ],
    },
    {
      send: ['DELETE', '$S/r1', undefined, { 'if-match': 'abc' }],
      expect: [
        409,
        error(
          'ERR_STATE_DELETE',
          'failed deleting state with key r1: possible etag mismatch. error from state store*',
        ),
      ],
    },
  ],
};
