import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookUp } from './look-up.ts';

test('a variable is a resource’s unless it is the sidecar’s own, or a list of others is there', async () => {
  const set = { FINE: '1', other: '2', DAPR_API_TOKEN: 's', APP_API_TOKEN: 's', 'A B': 's' };
  const ask = async (variables: Record<string, string>) => {
    const names = [...Object.keys(set), 'app_api_token', 'NOT_SET', ''];
    const answers = names.map((variable) =>
      lookUp('here', { kind: 'variable', variable }, { ...SOURCES, variables }).catch(() => 'no'),
    );
    return await Promise.all(answers);
  };

  assert.deepEqual(await ask(set), ['1', '2', 'no', 'no', 'no', 'no', '', 'no']);
  assert.deepEqual(await ask({ ...set, DAPR_ENV_KEYS: 'AFINE OTHER FINE' }), [
    ...['1', '2', 'no', 'no', 'no', 'no'],
    ...['no', 'no'],
  ]);
});

const SOURCES = { secretStore: undefined, secrets: new Map() };
