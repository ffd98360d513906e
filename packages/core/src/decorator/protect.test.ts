import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// Node's type stripping leaves decorators as they are, and runs none: the class is compiled first.
test('a decorated method goes through its pipeline and stays what it was', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-decorator-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'prices.mjs');
  await build({
    entryPoints: [new URL('../testing/decorated-prices.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    conditions: ['source'],
    outfile,
  });

  const { Prices } = await import(pathToFileURL(outfile).href);
  const prices = new Prices(40);
  const answer = await prices.of('tea', 2);

  assert.deepEqual(
    [answer, prices.attempts, Prices.prototype.of.name, Prices.prototype.of.length],
    [{ item: 'tea', price: 80 }, 3, 'of', 2],
  );
});
