import type { Turn } from '../policies/scripted-component.ts';

/** A component's call, and how the API answers it. */
interface FailingCall {
  /** The component's type. */
  readonly of: 'state' | 'secretstores' | 'bindings' | 'pubsub';
  /** What the component is asked for it. */
  readonly asks: string;
  readonly good: string;
  /** What stands before the words of an error; or the whole, where they are another's. */
  readonly bad: string | readonly [failed: string, open: string, late: string];
}

const STATE = 'state store NAME';
const BULK_WORDS = [
  '500 ERR_STATE_BULK_GET rpc error: code = Unavailable desc = on purpose',
  '500 ERR_STATE_BULK_GET circuit breaker is open',
  '500 ERR_STATE_BULK_GET context deadline exceeded',
] as const;
const PUBLISH = 'error when publishing to topic topic in pubsub NAME: ';
const SECRET = 'failed getting secret with key key from secret store NAME: ';
const SECRETS = 'failed getting secrets from secret store NAME: ';
const TRANSACT = 'error while executing state transaction: ';
const QUERY = `${STATE} query failed: `;
const INVOKE = 'error invoking output binding NAME: ';

const call = (
  of: FailingCall['of'],
  asks: string,
  good: string,
  bad: FailingCall['bad'],
): FailingCall => ({ of, asks, good, bad });

/** By the words of `componentApi`. */
export const FAILING_CALLS: Readonly<Record<string, FailingCall>> = {
  get: call('state', 'get', '200', `500 ERR_STATE_GET fail to get k from ${STATE}: `),
  set: call('state', 'set', '204', `500 ERR_STATE_SAVE failed saving state in ${STATE}: `),
  'set two': call(
    'state',
    'bulkSet',
    '204',
    `500 ERR_STATE_SAVE failed saving state in ${STATE}: `,
  ),
  delete: call('state', 'delete', '204', '500 ERR_STATE_DELETE failed deleting state with key k: '),
  'get bulk': call('state', 'bulkGet', '200', BULK_WORDS),
  transact: call('state', 'transact', '204', `500 ERR_STATE_TRANSACTION ${TRANSACT}`),
  query: call('state', 'query', '204', `500 ERR_STATE_QUERY ${QUERY}`),
  'grpc get': call('state', 'get', 'OK', `13 fail to get k from ${STATE}: `),
  'grpc set': call('state', 'set', 'OK', `13 failed saving state in ${STATE}: `),
  'grpc set two': call('state', 'bulkSet', 'OK', `13 failed saving state in ${STATE}: `),
  'grpc delete': call('state', 'delete', 'OK', '13 failed deleting state with key k: '),
  'grpc delete two': call('state', 'bulkDelete', 'OK', `13 failed deleting state in ${STATE}: `),
  'grpc get bulk': call('state', 'bulkGet', 'OK', [
    '14 on purpose',
    '2 circuit breaker is open',
    '4 context deadline exceeded',
  ]),
  'grpc transact': call('state', 'transact', 'OK', `13 ${TRANSACT}`),
  'grpc query': call('state', 'query', 'OK', `13 ${QUERY}`),
  secret: call('secretstores', 'secret', '200', `500 ERR_SECRET_GET ${SECRET}`),
  secrets: call('secretstores', 'secrets', '200', `500 ERR_SECRET_GET ${SECRETS}`),
  'grpc secret': call('secretstores', 'secret', 'OK', `13 ${SECRET}`),
  'grpc secrets': call('secretstores', 'secrets', 'OK', `13 ${SECRETS}`),
  invoke: call('bindings', 'invoke', '200', `500 ERR_INVOKE_OUTPUT_BINDING ${INVOKE}`),
  'grpc invoke': call('bindings', 'invoke', 'OK', `13 ${INVOKE}`),
  publish: call('pubsub', 'publish', '204', `500 ERR_PUBSUB_PUBLISH_MESSAGE ${PUBLISH}`),
  'grpc publish': call('pubsub', 'publish', 'OK', `13 ${PUBLISH}`),
};

/** What a client is told of a call that failed, met an open circuit, or took too long. */
export function errorOf(name: string, how: 'failed' | 'open' | 'late'): string {
  const { bad } = FAILING_CALLS[name]!;
  const at = ['failed', 'open', 'late'].indexOf(how);
  return typeof bad === 'string' ? `${bad}${WORDS[at]}` : bad[at]!;
}

const WORDS = [
  'rpc error: code = Unavailable desc = on purpose',
  'circuit breaker is open',
  'context deadline exceeded',
];

/** What a case asks and what becomes of it. */
export interface PolicyCase {
  readonly title: string;
  /** The component's type: `state`, `bindings`, … */
  readonly of: string;
  /** Inside the braces of its target; absent: it is none, and the defaults apply. */
  readonly policies?: string;
  readonly script: readonly Turn[];
  /** In their order; `wait` waits for an open circuit to be half-open. */
  readonly calls: readonly string[];
  readonly answers: readonly string[];
  /** What the component was asked. */
  readonly asked: string;
  /** Of the metrics, where they are the case's. */
  readonly counted?: readonly string[];
  /** What daprd does in place of that, and why it is not ours. */
  readonly daprd?: Partial<Pick<PolicyCase, 'answers' | 'asked' | 'counted'>> & {
    readonly why: string;
  };
}
