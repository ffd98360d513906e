import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openBench } from './testing/run-bench.ts';

const BUNDLE = fileURLToPath(new URL('../../../scripts/bundle.mjs', import.meta.url));

// What is built is what people run, and a bundle is not Node: see tests/tidy/bundle.test.ts.
describe('the built programs', () => {
  before(() => promisify(execFile)(process.execPath, [BUNDLE]));

  test('make an authority and a certificate', async (t) => {
    const { dir, holdfast } = await openBench(t, {});
    const first = await holdfast('ca', 'init').done;
    const second = await holdfast('ca', 'issue', 'orders').done;

    assert.deepEqual([first.status, second.status], [0, 0], first.err + second.err);
    const made = await readdir(join(dir, 'certs'), { recursive: true });
    assert.deepEqual(made.filter((name) => name.endsWith('.crt')).sort(), [
      'apps/default/orders/tls.crt',
      'ca.crt',
      'issuer.crt',
    ]);
  });
});
