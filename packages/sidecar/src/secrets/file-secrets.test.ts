import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ComponentSettings } from '../components/component-settings.ts';
import { fileSecrets } from './file-secrets.ts';

test('a number is a secret with all the digits that were written', async (t) => {
  const text = '{"account":12345678901234567890,"of":{"rate":1.50,"yes":true,"no":null}}';
  const store = await opened(t, text);
  const multi = await opened(t, text, [['multiValued', 'true']]);
  assert.deepEqual(
    [await store.all(), await multi.all()],
    [
      {
        account: { account: '12345678901234567890' },
        'of:rate': { 'of:rate': '1.50' },
        'of:yes': { 'of:yes': 'true' },
        'of:no': { 'of:no': '' },
      },
      {
        account: { account: '12345678901234567890' },
        of: { rate: '1.50', yes: 'true', no: '' },
      },
    ],
  );
});

async function opened(
  t: TestContext,
  text: string,
  more: readonly (readonly [string, string])[] = [],
) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'secrets.json');
  await writeFile(file, text);
  return await fileSecrets(new ComponentSettings('s', [['secretsFile', file], ...more]));
}
