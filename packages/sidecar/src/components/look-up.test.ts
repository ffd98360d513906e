import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envSecrets } from '../secrets/env-secrets.ts';
import type { GivenValue } from './component-spec.ts';
import { lookUp } from './look-up.ts';

const secret = (name: string, key: string, otherwise?: string): GivenValue => ({
  kind: 'secret',
  secret: name,
  key,
  ...(otherwise !== undefined && { otherwise }),
});

test('the sidecar’s own tokens are empty for components, and the log says so', async () => {
  const warnings: string[] = [];
  const variables = { DAPR_API_TOKEN: 't', app_api_token: 't', MINE: 'm' };
  const found = await Promise.all(
    Object.keys(variables).map((variable) => find({ kind: 'variable', variable }, warnings)),
  );
  assert.deepEqual(found, ['', '', 'm']);
  assert.deepEqual(warnings, [
    'x: envRef DAPR_API_TOKEN is not for components, and is empty for them.',
    'x: envRef app_api_token is not for components, and is empty for them.',
  ]);

  function find(given: GivenValue, told: string[]) {
    const warn = (message: string) => void told.push(message);
    return lookUp('x', given, { secretStore: undefined, secrets: new Map(), variables, warn });
  }
});

test('a value beside a secret stands in for one that is not there, and without it that is an error', async () => {
  const secrets = new Map([['env', envSecrets({ A: 'a' }, '')]]);
  const find = (given: GivenValue, secretStore: string | undefined) =>
    lookUp('x', given, { secretStore, secrets, variables: {}, warn: () => {} }).catch(
      (error: Error) => error.message,
    );
  assert.deepEqual(
    await Promise.all([
      find(secret('A', 'A', 'v'), 'env'),
      find(secret('B', 'B', 'v'), 'env'),
      find(secret('A', 'A', 'v'), 'none'),
      find(secret('A', 'other'), 'env'),
      find(secret('A', 'A'), undefined),
    ]),
    [
      'a',
      'v',
      'v',
      'the secret "A" has no key "other"',
      'x refers to the secret "A", and no auth.secretStore is named',
    ],
  );
});
