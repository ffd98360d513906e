import { type BindingCase, failed, op, said } from '../cases/binding-case.ts';

const KEPT = 'kept';
const nothing = said('', {}, 204);

const one = (
  name: string,
  operation: string,
  metadata: Readonly<Record<string, string>>,
  expect: BindingCase['expect'],
  data?: unknown,
): BindingCase => ({ name, to: KEPT, body: op(operation, metadata, data), expect });

const noTime = (text: string, rule: string): BindingCase =>
  one(
    `a time to live of ${text}`,
    'create',
    { key: 'timed', ttlInSeconds: text },
    failed(`ttl value must be ${rule}: actual is '${text}'`),
    1,
  );

/** `bindings.redis`, one after the other: what one has written the next reads. */
export const REDIS_BINDINGS: readonly BindingCase[] = [
  one('a value', 'create', { key: 'o' }, nothing, { a: 1 }),
  one('it is read', 'get', { key: 'o' }, said('{"a":1}')),
  one('it is taken away as it is read', 'get', { key: 'o', delete: 'true' }, said('{"a":1}')),
  one('what is not there is empty', 'get', { key: 'o' }, said('')),
  one('a count', 'increment', { key: 'n' }, nothing),
  one('counts on', 'increment', { key: 'n', ttlInSeconds: '100' }, nothing),
  one('the count', 'get', { key: 'n' }, said('2')),
  one('a deletion', 'delete', { key: 'n' }, nothing),
  one('of what is not there', 'delete', { key: 'n' }, nothing),
  one('a time to live', 'create', { key: 't', ttlInSeconds: '100' }, nothing, 1),
  one('as a duration, by its other name', 'create', { key: 'm', ttl: '2m' }, nothing, 1),
  one('of nothing', 'create', { key: 'z', ttlInSeconds: '0' }, nothing, 1),
  one('is over at once', 'get', { key: 'z' }, said('')),
  noTime('-1', 'higher than zero'),
  noTime('x', 'a valid integer'),
  noTime('1.5', 'a valid integer'),
  one('no key', 'get', {}, failed('redis binding: missing key in request metadata')),
  one(
    'a key of another kind',
    'get',
    { key: 'list' },
    failed('WRONGTYPE Operation against a key holding the wrong kind of value'),
  ),
  one(
    'an operation that it does not have',
    'list',
    { key: 'o' },
    failed(
      'binding kept does not support operation list. supported operations:create delete get increment',
    ),
  ),
];
