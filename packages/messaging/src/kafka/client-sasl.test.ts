import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSasl, clientSasl } from './client-sasl.ts';
import type { KafkaBearer } from './module.ts';

const bearer: KafkaBearer = { mechanism: 'OAUTHBEARER', token: async () => 'a' };

test('a password is handed to the client as it is', () => {
  const password = { mechanism: 'PLAIN', username: 'u', password: 'p' } as const;
  assert.equal(clientSasl(password), password);
});

test('a token that Kafka answers with a status was refused', () => {
  assert.deepEqual(
    ['', '{"status":"invalid_token"}', '{}', 'x'].map((text) => answered(text)),
    [
      'taken',
      'Kafka does not take the token: invalid_token',
      'taken',
      'Kafka does not take the token: its answer cannot be read (1 bytes)',
    ],
  );
});

test('extensions that could not be sent are refused by name', () => {
  const check = (extensions: Record<string, string>) => () => checkSasl({ ...bearer, extensions });
  assert.doesNotThrow(check({ logicalCluster: 'lkc-1' }));
  assert.throws(check({ auth: 'x' }), {
    message:
      'kafkaBroker.sasl.extensions must have names of letters alone, and none "auth", not "auth".',
  });
  assert.throws(check({ a: '\x01' }), {
    message: 'kafkaBroker.sasl.extensions.a must not hold the character U+0001.',
  });
});

function answered(text: string): string {
  const sasl = clientSasl(bearer);
  let verdict = 'nothing';
  if (!('authBytesValidator' in sasl)) return verdict;
  sasl.authBytesValidator(Buffer.from(text), (error) => {
    verdict = error === null ? 'taken' : error.message;
  });
  return verdict;
}
