import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
// One of the parts wants it there before it is loaded.
import 'reflect-metadata';
import { openBench } from './testing/run-bench.ts';

const BUNDLE = fileURLToPath(new URL('../../../scripts/bundle.mjs', import.meta.url));
const DIST = fileURLToPath(new URL('../dist', import.meta.url));
/** `const { one, two: other } = await import("./chunk.js")`, as esbuild writes it. */
const TAKEN = /\{([^{}]*)\} = await import\("(\.\/[^"]+)"\)/g;

// What is built is what people run, and a bundle is not Node: names that Node finds in CommonJS are not in it.
describe('the built programs', () => {
  before(() => promisify(execFile)(process.execPath, [BUNDLE]));

  test('can load all their parts, and find each name that they take from one', async () => {
    const files = (await readdir(DIST)).filter((name) => name.endsWith('.js'));
    const parts = files.filter((name) => !/^holdfastd?-main\.js$/.test(name));
    const loaded = new Map<string, readonly string[]>();
    for (const part of parts) {
      loaded.set(`./${part}`, Object.keys(await import(pathToFileURL(join(DIST, part)).href)));
    }
    const missing: string[] = [];
    let taken = 0;
    for (const file of files) {
      const text = await readFile(join(DIST, file), 'utf8');
      for (const [, names = '', part = ''] of text.matchAll(TAKEN)) {
        for (const name of names.split(',').map((one) => one.split(':')[0]!.trim())) {
          taken += 1;
          if (loaded.get(part)?.includes(name) !== true) {
            missing.push(`${file}: ${name} of ${part}`);
          }
        }
      }
    }
    assert.deepEqual(missing, []);
    assert.ok(taken > 40, `only ${taken} were found: does esbuild write them in another way now?`);
  });

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
