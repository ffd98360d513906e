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

test('a variable is a resource’s unless it is the sidecar’s own, or a list of others is there; the log says so', async () => {
  const set = { FINE: '1', other: '2', DAPR_API_TOKEN: 's', APP_API_TOKEN: 's', 'A B': 's' };
  const ask = async (variables: Record<string, string>) => {
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const names = [...Object.keys(set), 'app_api_token', 'NOT_SET', ''];
    const sources = { secretStore: undefined, secrets: new Map(), variables, warn };
    const found = names.map((variable) => lookUp('x', { kind: 'variable', variable }, sources));
    return { found: await Promise.all(found), warnings };
  };

  const { found, warnings } = await ask(set);
  assert.deepEqual(found, ['1', '2', '', '', '', '', '', '']);
  assert.deepEqual(
    warnings,
    ['DAPR_API_TOKEN', 'APP_API_TOKEN', 'A B', 'app_api_token', ''].map(
      (name) => `x: envRef ${name} is not for resources, and is empty for them.`,
    ),
  );
  const listed = await ask({ ...set, DAPR_ENV_KEYS: 'AFINE OTHER FINE' });
  assert.deepEqual(listed.found, ['1', '2', '', '', '', '', '', '']);
  assert.equal(listed.warnings.length, 6);
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
