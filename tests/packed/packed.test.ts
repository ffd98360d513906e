import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { installPacked } from './install-packed.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

/** What users do first, in any kind of module. */
const USE = `
const p = pipeline('packed', [retry({ delayMs: 0 }), timeout({ limitMs: 1000 })]);
let calls = 0;
const answer = await p.execute(async ({ attempt }) => {
  calls += 1;
  if (calls < 3) throw new Error('down');
  return 'attempt ' + attempt;
});
if (answer !== 'attempt 3') throw new Error(answer);
`;

describe('the packed @holdfast/core', () => {
  let folder = '';
  before(async () => {
    folder = await installPacked();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Writes a file of the user's and runs it with Node. */
  const runs = async (name: string, text: string) => {
    await writeFile(join(folder, name), `${text}\nconsole.log('done');\n`);
    const { stdout } = await run(process.execPath, [join(folder, name)], { cwd: folder });
    return stdout.trim();
  };

  test('works as an ES module', async () => {
    const head = `import { pipeline, retry, timeout } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { redisRateStore } from '@holdfast/core/redis';
import { newTrace } from '@holdfast/core/trace';
for (const each of [VirtualClock, redisRateStore, newTrace]) if (typeof each !== 'function') throw each;`;
    assert.equal(await runs('esm.mjs', head + USE), 'done');
  });

  test('works from CommonJS by require', async () => {
    const head = "const { pipeline, retry, timeout } = require('@holdfast/core');";
    assert.equal(await runs('cjs.cjs', `${head}\n(async () => {${USE}})();`), 'done');
  });

  test('builds for browsers, without a word of Node in it, and runs there', async () => {
    await writeFile(
      join(folder, 'browser.mjs'),
      `import { pipeline, retry, timeout } from '@holdfast/core';\n${USE}`,
    );
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'browser.mjs')],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
    });
    const text = outputFiles[0]!.text;
    // Node's async context is asked for by `process.getBuiltinModule`, where there is one, and never imported.
    assert.doesNotMatch(text, /\bimport\b|\brequire\(|\bBuffer\b/);
    assert.equal(await runs('bundled.mjs', text), 'done');
  });

  test('imports nothing but its own files, so that Deno and import maps resolve it by URL', async () => {
    const at = join(folder, 'node_modules', '@holdfast', 'core');
    const manifest = JSON.parse(await readFile(join(at, 'package.json'), 'utf8'));
    const seen = new Set<string>();
    const read = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(file, 'utf8');
      for (const [, specifier = ''] of text.matchAll(
        /(?:\sfrom\s+|^import\s+|\bimport\s*\(\s*)['"]([^'"]+)['"]/gm,
      )) {
        assert.match(specifier, /^\.{1,2}\/.+\.js$/, `${file} imports ${specifier}`);
        await read(join(file, '..', specifier));
      }
    };
    for (const entry of Object.values(manifest.exports as Record<string, { default: string }>)) {
      await read(join(at, entry.default));
    }
    assert.ok(seen.size > 50, `${seen.size} files`);
    assert.deepEqual(manifest.dependencies ?? {}, {});
  });

  test('brings its licence', async () => {
    const licence = join(folder, 'node_modules', '@holdfast', 'core', 'LICENSE');
    assert.equal(await readFile(licence, 'utf8'), await readFile(join(root, 'LICENSE'), 'utf8'));
  });

  test('has types that check without skipLibCheck and with no library but ES2022 and DOM', async () => {
    await mkdir(join(folder, 'typed'), { recursive: true });
    await writeFile(
      join(folder, 'typed', 'use.ts'),
      `import { keyedPipeline, pipeline, retry, standard } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
const p = pipeline('p', [retry()], { clock: new VirtualClock() });
export const five: Promise<number> = p.execute(async () => 5);
export const family = keyedPipeline('hosts', standard());
`,
    );
    for (const [module, moduleResolution] of [
      ['nodenext', 'nodenext'],
      ['node16', 'node16'],
      ['preserve', 'bundler'],
    ]) {
      await writeFile(
        join(folder, 'typed', 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            module,
            moduleResolution,
            target: 'es2022',
            lib: ['es2022', 'dom'],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: false,
            noEmit: true,
            types: [],
          },
        }),
      );
      const { stdout } = await run(bin('tsc'), ['-p', join(folder, 'typed')], {
        cwd: folder,
      }).catch((error: { stdout: string }) => error);
      assert.deepEqual([moduleResolution, stdout], [moduleResolution, '']);
    }
  });
});
