import { Code } from '@connectrpc/connect';
import { errorOf, FAILING_CALLS, type PolicyCase } from './failing-calls.ts';

/** Inside `spec.policies`; what begins with `Default` is for components that are no targets. */
export const POLICIES = `
timeouts: { quick: 50ms, none: 0s }
retries:
  twice: { policy: constant, duration: 10ms, maxRetries: 2 }
  five: { policy: constant, duration: 10ms, maxRetries: 5 }
  never: { policy: constant, duration: 10ms, maxRetries: 0 }
  always: { policy: constant, duration: 10ms, maxRetries: -1 }
  longer: { policy: exponential, maxInterval: 20ms, maxRetries: 4 }
  matched: { policy: constant, duration: 10ms, maxRetries: 2, matching: { httpStatusCodes: "500-599", gRPCStatusCodes: "14" } }
  DefaultStatestoreComponentOutboundRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 3 }
  DefaultComponentOutboundRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 1 }
  DefaultComponentInboundRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 1 }
  DefaultRetryPolicy: { policy: constant, duration: 10ms, maxRetries: 4 }
circuitBreakers:
  two: { maxRequests: 1, timeout: 60s, trip: "consecutiveFailures >= 2" }
  brief: { maxRequests: 1, timeout: 100ms, trip: "consecutiveFailures >= 2" }
  DefaultBindingComponentOutboundCircuitBreakerPolicy: { maxRequests: 1, timeout: 60s, trip: "consecutiveFailures >= 2" }
`;

const RETRY = 'outbound: { retry: twice }';
const BREAKER = 'outbound: { circuitBreaker: two }';
const U = Code.Unavailable;
const times = (count: number, what: string) => Array<string>(count).fill(what).join(' ');

/** The same of every call of a component. */
const ofEvery: readonly PolicyCase[] = Object.entries(FAILING_CALLS).flatMap(
  ([call, { asks, good, of }]): readonly PolicyCase[] => [
    {
      title: `${call}: is tried again until it succeeds`,
      ...{ of, policies: RETRY, script: [U, U, 'ok'], calls: [call] },
      ...{ answers: [good], asked: times(3, asks) },
    },
    {
      title: `${call}: the last error is told when the retries are used up`,
      ...{ of, policies: RETRY, script: [U], calls: [call] },
      ...{ answers: [errorOf(call, 'failed')], asked: times(3, asks) },
    },
    {
      title: `${call}: an open circuit keeps it from the component`,
      ...{ of, policies: BREAKER, script: [U], calls: [call, call, call] },
      answers: ['failed', 'failed', 'open'].map((how) => errorOf(call, how as 'open')),
      asked: times(2, asks),
    },
    {
      title: `${call}: takes no longer than the timeout`,
      ...{ of, policies: 'outbound: { timeout: quick }', script: ['hang'], calls: [call] },
      ...{ answers: [errorOf(call, 'late')], asked: asks },
    },
  ],
);

const [failed, open, late] = [
  errorOf('get', 'failed'),
  errorOf('get', 'open'),
  errorOf('get', 'late'),
];
const ofState = (
  title: string,
  policies: string | undefined,
  script: PolicyCase['script'],
  rest: Pick<PolicyCase, 'answers' | 'asked' | 'counted' | 'daprd'> &
    Partial<Pick<PolicyCase, 'calls'>>,
): PolicyCase => ({
  ...{ title, of: 'state', script, calls: ['get'] },
  ...(policies !== undefined && { policies }),
  ...rest,
});

const GET = '500 ERR_STATE_GET fail to get k from state store NAME: ';

/** How policies are read, and how they go together. */
const combined: readonly PolicyCase[] = [
  ofState('maxRetries 0 is no retry', 'outbound: { retry: never }', [U], {
    ...{ answers: [failed], asked: 'get' },
  }),
  ofState('maxRetries -1 has no end', 'outbound: { retry: always }', [U, U, U, U, U, U, U, 'ok'], {
    ...{ answers: ['200'], asked: times(8, 'get') },
  }),
  ofState('an exponential policy ends as well', 'outbound: { retry: longer }', [U], {
    ...{ answers: [failed], asked: times(5, 'get') },
  }),
  ofState('a timeout of 0 is none', 'outbound: { timeout: none, retry: twice }', [U, 'ok'], {
    ...{ answers: ['200'], asked: times(2, 'get') },
  }),
  ofState(
    'the timeout is of each attempt',
    `outbound: { timeout: quick, retry: twice }`,
    ['hang'],
    {
      calls: ['get', 'grpc get'],
      answers: [late, errorOf('grpc get', 'late')],
      asked: times(6, 'get'),
    },
  ),
  ofState(
    'timeouts open the circuit',
    'outbound: { timeout: quick, circuitBreaker: two }',
    ['hang'],
    {
      calls: ['get', 'get', 'get'],
      ...{ answers: [late, late, open], asked: times(2, 'get') },
    },
  ),
  ofState(
    'each attempt counts, and an open circuit ends the retries',
    'outbound: { retry: five, circuitBreaker: two }',
    [U],
    {
      ...{ calls: ['get', 'get'], answers: [open, open], asked: times(2, 'get') },
    },
  ),
  ofState('one circuit for all operations, of both protocols', BREAKER, [U], {
    calls: ['get', 'grpc set', 'delete', 'grpc query', 'set two', 'transact', 'grpc get bulk'],
    answers: [
      failed,
      errorOf('grpc set', 'failed'),
      ...['delete', 'grpc query', 'set two', 'transact', 'grpc get bulk'].map((call) =>
        errorOf(call, 'open'),
      ),
    ],
    asked: 'get set',
  }),
  ofState(
    'what is not there is a success',
    'outbound: { retry: twice, circuitBreaker: two }',
    ['absent'],
    {
      ...{ calls: ['get', 'get', 'get'], answers: ['204', '204', '204'], asked: times(3, 'get') },
    },
  ),
  ofState(
    'inbound policies are for no call of a component',
    'inbound: { retry: twice, timeout: quick, circuitBreaker: two }',
    [U],
    {
      ...{
        calls: ['get', 'get', 'get'],
        answers: [failed, failed, failed],
        asked: times(3, 'get'),
      },
    },
  ),
  ofState(
    'a name that is no policy is none',
    'outbound: { timeout: nowhere, retry: absent }',
    [U],
    {
      ...{ answers: [failed], asked: 'get' },
    },
  ),
  ofState(
    'matching does not concern what a store throws',
    'outbound: { retry: matched }',
    [Code.InvalidArgument],
    {
      answers: [`${GET}rpc error: code = InvalidArgument desc = on purpose`],
      asked: times(3, 'get'),
    },
  ),
  {
    title: 'matching does not concern what a binding throws',
    ...{ of: 'bindings', policies: 'outbound: { retry: matched }' },
    ...{ script: [Code.InvalidArgument], calls: ['invoke'], asked: times(3, 'invoke') },
    answers: [errorOf('invoke', 'failed').replace('Unavailable', 'InvalidArgument')],
  },
  {
    title: 'matching concerns what a broker throws, by the codes of the client that publishes',
    ...{ of: 'pubsub', policies: 'outbound: { retry: matched }' },
    ...{ script: [Code.InvalidArgument], calls: ['publish', 'grpc publish'] },
    answers: ['publish', 'grpc publish'].map((call) =>
      errorOf(call, 'failed').replace('Unavailable', 'InvalidArgument'),
    ),
    asked: times(2, 'publish'),
  },
  {
    title: 'what is no operation of a binding is no failure of it',
    ...{ of: 'bindings', policies: BREAKER, script: ['ok'], asked: 'invoke' },
    calls: ['invoke oddly', 'invoke oddly', 'invoke'],
    answers: [
      ...Array<string>(2).fill(
        '500 ERR_INVOKE_OUTPUT_BINDING error invoking output binding NAME: binding NAME does not support operation odd. supported operations:create',
      ),
      '200',
    ],
  },
];

/** Components that are no targets, and one that is an empty one. */
const defaults: readonly PolicyCase[] = [
  ofState('the default that names the type and the direction', undefined, [U], {
    ...{ answers: [failed], asked: times(4, 'get') },
  }),
  {
    title: 'the default of a direction, where none names the type',
    ...{ of: 'secretstores', script: [U], calls: ['secret'] },
    ...{ answers: [errorOf('secret', 'failed')], asked: times(2, 'secret') },
  },
  {
    title: 'defaults of several kinds together',
    ...{ of: 'bindings', script: [U], calls: ['invoke', 'invoke'] },
    answers: [errorOf('invoke', 'failed'), errorOf('invoke', 'open')],
    asked: times(2, 'invoke'),
  },
  ofState('no default for a target, whatever it says', '', [U], {
    ...{ answers: [failed], asked: 'get' },
  }),
  ofState(
    'no default for a target that names the other direction',
    'inbound: { retry: twice }',
    [U],
    {
      ...{ answers: [failed], asked: 'get' },
    },
  ),
];

const ANSWER =
  "the etag is the client's: the store is well, so that nothing is tried again and no circuit opens";
const SAVE =
  '409 ERR_STATE_SAVE failed saving state in state store NAME: possible etag mismatch. error from state store: the etag is another';
const DELETE =
  '409 ERR_STATE_DELETE failed deleting state with key k: possible etag mismatch. error from state store: the etag is another';

/** Etags that do not match. */
const etags: readonly PolicyCase[] = [
  ofState('set: an etag that does not match is not tried again', RETRY, ['mismatch'], {
    ...{ calls: ['set'], answers: [SAVE], asked: 'set' },
  }),
  ofState('set: an etag that is none is not tried again', RETRY, ['bad etag'], {
    calls: ['set'],
    answers: [
      '400 ERR_STATE_SAVE failed saving state in state store NAME: invalid etag value: the etag is another',
    ],
    asked: 'set',
  }),
  ofState('delete: an etag that does not match is not tried again', RETRY, ['mismatch'], {
    ...{ calls: ['delete'], answers: [DELETE], asked: 'delete' },
    daprd: { why: ANSWER, asked: times(3, 'delete') },
  }),
  ofState('set: an etag that does not match opens no circuit', BREAKER, ['mismatch'], {
    ...{ calls: ['set', 'set', 'set'], answers: [SAVE, SAVE, SAVE], asked: times(3, 'set') },
    daprd: { why: ANSWER, answers: [SAVE, SAVE, errorOf('set', 'open')], asked: times(2, 'set') },
  }),
];

const ENTRIES = ['publish bulk', 'grpc publish bulk'] as const;
const [HTTP_ENTRIES, GRPC_ENTRIES] = ['500 ERR_PUBSUB_PUBLISH_MESSAGE 2 × ', 'OK 2 × '];
const UNAVAILABLE = 'rpc error: code = Unavailable desc = on purpose';
const WHICH = 'which entries failed is told (daprd fails the call, and that is lost)';
const GRPC_BULK = '13 error when publishing to topic topic in pubsub NAME: ';

const bulks: readonly PolicyCase[] = [
  {
    title: 'a bulk goes to a broker that cannot take one entry by entry; the failed ones again',
    ...{ of: 'pubsub', policies: RETRY, script: [U, U, 'ok'], calls: ['publish bulk'] },
    ...{ answers: ['204'], asked: times(4, 'publish') },
  },
  {
    title: 'entries that fail for good',
    ...{ of: 'pubsub', policies: RETRY, script: [U], calls: ENTRIES },
    answers: [`${HTTP_ENTRIES}${UNAVAILABLE}`, `${GRPC_ENTRIES}${UNAVAILABLE}`],
    asked: times(12, 'publish'),
    daprd: {
      why: WHICH,
      answers: [`${HTTP_ENTRIES}${UNAVAILABLE}`, `${GRPC_BULK}${UNAVAILABLE}`],
    },
  },
  {
    title: 'an open circuit refuses all entries',
    ...{ of: 'pubsub', policies: BREAKER, script: [U] },
    calls: ['publish bulk', 'publish bulk', ...ENTRIES],
    answers: [
      ...[UNAVAILABLE, UNAVAILABLE, 'circuit breaker is open'].map((why) => HTTP_ENTRIES + why),
      `${GRPC_ENTRIES}circuit breaker is open`,
    ],
    asked: times(4, 'publish'),
    daprd: {
      why: WHICH,
      answers: [
        ...[UNAVAILABLE, UNAVAILABLE, 'circuit breaker is open'].map((why) => HTTP_ENTRIES + why),
        `${GRPC_BULK}circuit breaker is open`,
      ],
    },
  },
  {
    title: 'in-bulk: a broker with the feature has the bulk in one go, each attempt',
    ...{ of: 'pubsub', policies: RETRY, script: [U], calls: ['publish bulk'] },
    ...{ answers: [`${HTTP_ENTRIES}${UNAVAILABLE}`], asked: times(3, 'bulkPublish') },
  },
];

/** What the metrics say afterwards. */
const counts: readonly PolicyCase[] = [
  ofState('a call is counted once, however often it was tried', RETRY, [U], {
    ...{ calls: ['get', 'grpc set'], asked: `${times(3, 'get')} ${times(3, 'set')}` },
    answers: [failed, errorOf('grpc set', 'failed')],
    counted: [
      'component_state: get false 1',
      'component_state: set false 1',
      'resiliency: outbound retry 2',
      'resiliency_activations: outbound retry 2',
    ],
  }),
  ofState('a success after failures is one', RETRY, [U, U, 'ok'], {
    ...{ answers: ['200'], asked: times(3, 'get') },
    counted: [
      'component_state: get true 1',
      'resiliency: outbound retry 1',
      'resiliency_activations: outbound retry 1',
    ],
  }),
  ofState(
    'timeouts of one call are one activation',
    'outbound: { timeout: quick, retry: twice }',
    ['hang'],
    {
      ...{ answers: [late], asked: times(3, 'get') },
      counted: [
        'component_state: get false 1',
        'resiliency: outbound retry 1',
        'resiliency: outbound timeout 1',
        'resiliency_activations: outbound retry 1',
        'resiliency_activations: outbound timeout 1',
      ],
    },
  ),
  ofState(
    'a circuit opens, is half-open when it is next looked at, and closes',
    'outbound: { circuitBreaker: brief }',
    [U, U, 'ok'],
    {
      calls: ['get', 'get', 'get', 'wait', 'get', 'get'],
      answers: [failed, failed, open, '200', '200'],
      asked: times(4, 'get'),
      counted: [
        'component_state: get false 3',
        'component_state: get true 2',
        'resiliency: outbound circuitbreaker closed 3',
        'resiliency: outbound circuitbreaker half-open 1',
        'resiliency: outbound circuitbreaker open 1',
        'resiliency_activations: outbound circuitbreaker closed 1',
        'resiliency_activations: outbound circuitbreaker open 1',
      ],
    },
  ),
  {
    title: 'a secret is counted',
    ...{ of: 'secretstores', policies: RETRY, script: [U, 'ok'], calls: ['secret', 'secrets'] },
    ...{ answers: ['200', '200'], asked: 'secret secret secrets' },
    counted: [
      'component_secret: bulk_get true 1',
      'component_secret: get true 1',
      'resiliency: outbound retry 2',
      'resiliency_activations: outbound retry 1',
    ],
  },
  {
    title: "a binding's call is counted, and one of no operation of it by daprd alone",
    ...{ of: 'bindings', policies: BREAKER, script: [U], asked: 'invoke' },
    calls: ['invoke', 'invoke oddly'],
    answers: [
      errorOf('invoke', 'failed'),
      '500 ERR_INVOKE_OUTPUT_BINDING error invoking output binding NAME: binding NAME does not support operation odd. supported operations:create',
    ],
    counted: [
      'component_output_binding: create false 1',
      'resiliency: outbound circuitbreaker closed 1',
    ],
    daprd: {
      why: 'a client must not make series of names that it invents',
      counted: [
        'component_output_binding: create false 1',
        'component_output_binding: odd false 1',
        'resiliency: outbound circuitbreaker closed 1',
      ],
    },
  },
];

export const COMPONENT_POLICIES: readonly PolicyCase[] = [
  ...ofEvery,
  ...combined,
  ...defaults,
  ...etags,
  ...bulks,
  ...counts,
];
