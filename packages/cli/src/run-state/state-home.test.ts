import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStateHome } from './state-home.ts';

test('a state home that cannot be made is named, with the variable that moves it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-home-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, 'file', 'home');
  assert.throws(() => openStateHome({ HOLDFAST_STATE_HOME: path }), {
    message: `${path}, where runs are kept, cannot be made (ENOTDIR); set HOLDFAST_STATE_HOME to a folder of yours.`,
  });
});
