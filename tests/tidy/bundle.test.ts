import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { bundlePrograms } from '../../scripts/bundle-programs.mjs';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/holdfast-bundle-test');

describe('the bundle that npm start runs', () => {
  let folder = '';
  let chunks: string[] = [];

  before(async () => {
    await mkdir(CACHE, { recursive: true });
    const parent = await mkdtemp(join(CACHE, 'made-'));
    folder = join(parent, 'dist');
    await bundlePrograms(folder);
    chunks = (await readdir(folder)).filter(
      (name) => name.endsWith('.js') && !name.endsWith('-main.js'),
    );
  });
  after(() => rm(join(folder, '..'), { recursive: true, force: true }));

  test('can load all that it loads when asked for: Kafka lacked a file that its client reads', async () => {
    const script = `for (const url of process.argv.slice(1)) {
      await import(url).catch((error) => console.log(url, error.message));
    }`;
    const urls = chunks.map((name) => pathToFileURL(join(folder, name)).href);
    // What needs the polyfill is asked for after it.
    urls.sort((a, b) => Number(b.includes('/Reflect-')) - Number(a.includes('/Reflect-')));
    const args = ['--input-type=module', '-e', script, ...urls];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.ok(chunks.length > 50, `only ${chunks.length} chunks were found`);
    assert.equal(stdout, '');
  });

  test('takes nothing but `default` of packages in CommonJS: Redis and `holdfast ca` asked for names', async () => {
    const texts = new Map<string, string>();
    for (const name of await readdir(folder)) {
      if (name.endsWith('.js')) texts.set(name, await readFile(join(folder, name), 'utf8'));
    }
    const common = [...texts].filter(([, text]) => /^export default require_/m.test(text));
    assert.ok(common.length > 2, 'no package in CommonJS was found');
    const asked: string[] = [];
    for (const [name] of common) {
      for (const text of texts.values()) asked.push(...importsOf(name, text));
    }
    const wrong = asked.filter(
      (line) => !/^(?:const \{ default: .* \} = )?await import/.test(line),
    );
    assert.deepEqual(wrong, []);
    assert.ok(asked.length > 2, `only ${asked.length} imports were found`);
  });
});

/** The statements that import a chunk when it is asked for, each on one line. */
function importsOf(chunk: string, text: string): string[] {
  const statements = text.split(';').map((statement) => statement.replaceAll(/\s+/g, ' ').trim());
  return statements
    .filter((statement) => statement.includes(`import("./${chunk}")`))
    .map((statement) => statement.replace(/^.*[{}] (?=(?:const|await|return) )/, ''));
}
