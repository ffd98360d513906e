import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { pipeline } from '../pipeline.ts';
import { protect } from './protect.ts';

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

test('experimentalDecorators, which call it with a name, were told that they are for an undefined', () => {
  const decorate = protect(pipeline('p', [], { registry: undefined }));
  assert.throws(() => decorate({} as never, 'get' as never), {
    name: 'TypeError',
    message:
      'protect is no decorator for experimentalDecorators: leave that out, or use pipeline.wrap.',
  });
});

test('what is no method is told so', () => {
  const decorate = protect(pipeline('p', [], { registry: undefined }));
  assert.throws(() => decorate(async () => 1, { kind: 'field' } as never), {
    name: 'TypeError',
    message: 'protect is for methods, not for a field.',
  });
});
