import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '@holdfast/test-servers';
import { build } from 'esbuild';
import { installPacked } from './install-packed.ts';
import { findBrowser, pageSays } from './runtimes/browser.ts';
import { findRuntime } from './runtimes/find-runtime.ts';

const run = promisify(execFile);

/** Deno's permission for the one thing that the program asks of the world outside. */
const ASKS = '--allow-net=127.0.0.1';

/** What `in-any-runtime.mjs` sees, wherever it runs. */
const SEEN = {
  'a retry': 'attempt 3',
  'a time-out of a function that ignores its signal':
    'TIMED_OUT, signal aborted: true, early: false',
  'a time-out that the function hears of': 'TIMED_OUT, heard TIMED_OUT',
  'an abort while a retry waits an hour': 'its own reason: true, called 1 time',
  'a signal that is aborted already': 'AbortError, called 0 times',
  'a deadline': 'DEADLINE_EXCEEDED, remainingMs falls: true',
  'a hedge beside a slow attempt': 'attempt 2, the other ended with HedgeLostError',
  'a circuit': 'CIRCUIT_OPEN; probed, closed',
  'a queue': 'answered a, answered b, BULKHEAD_FULL; ran a, b',
  'one fetch for three callers': '1, 1, 1; then 1',
  'a pipeline for each host': 'CIRCUIT_OPEN; answered 1',
  'an hour on the virtual clock': 'down after 3600000 ms, left: 0',
  'a function behind a pipeline': 'price/2: 12',
  'what is listed': 'true, 7 ms',
  'a trace': true,
};
const SERVER = {
  ...SEEN,
  'a connection that is refused': 'attempts 2, where it is not idempotent 2',
};
/** A browser does not tell a refusal from a connection that broke: what may have been sent is not sent twice. */
const BROWSER = {
  ...SEEN,
  'a connection that is refused': 'attempts 2, where it is not idempotent 1',
};
const WITH_CONTEXT = { ...SERVER, 'the async context': "6 of 6 attempts in their caller's" };
const WITHOUT_CONTEXT = { ...BROWSER, 'the async context': 'none here' };

describe('the packed @holdfast/core does the same', () => {
  let folder = '';
  let nobody = '';
  before(async () => {
    folder = await installPacked();
    nobody = `http://127.0.0.1:${await freePort()}/`;
    await copyFile(join(import.meta.dirname, 'in-any-runtime.mjs'), join(folder, 'play.mjs'));
    await writeFile(
      join(folder, 'main.mjs'),
      `import { playAll } from './play.mjs';\nconsole.log(JSON.stringify(await playAll('${nobody}')));\n`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs the program and waits for its end, which a timer left behind would put off. */
  const saysWith = async (program: string, args: readonly string[]) => {
    const { stdout } = await run(program, [...args, 'main.mjs'], { cwd: folder, timeout: 60_000 });
    return JSON.parse(stdout);
  };

  test('in Node', async () => {
    assert.deepEqual(await saysWith(process.execPath, []), WITH_CONTEXT);
  });

  test('in Node 20, the oldest it is for', async (t) => {
    const node20 = await findNode(20);
    if (node20 === undefined) return t.skip('Node 20 is not on the path of this machine');
    assert.deepEqual(await saysWith(node20, []), WITH_CONTEXT);
  });

  test('in Deno, which gives it no permission but to ask that address', async (t) => {
    const deno = await findRuntime('deno');
    if (deno === undefined) return absent(t, 'Deno', 'npm ci in tests/packed/runtimes');
    const flags = ['run', '--no-prompt', ASKS, '--cached-only', '--node-modules-dir=manual'];
    assert.deepEqual(await saysWith(deno, flags), WITH_CONTEXT);
  });

  test('in Deno, by URL and an import map, with no package manager', async (t) => {
    const deno = await findRuntime('deno');
    if (deno === undefined) return absent(t, 'Deno', 'npm ci in tests/packed/runtimes');
    const at = './node_modules/@holdfast/core/dist';
    const imports = {
      '@holdfast/core': `${at}/index.js`,
      '@holdfast/core/testing': `${at}/testing/index.js`,
      '@holdfast/core/trace': `${at}/trace/index.js`,
    };
    await writeFile(join(folder, 'imports.json'), JSON.stringify({ imports }));
    const flags = [
      'run',
      '--no-prompt',
      ASKS,
      '--no-config',
      '--no-npm',
      '--import-map=imports.json',
    ];
    assert.deepEqual(await saysWith(deno, flags), WITH_CONTEXT);
  });

  test('in Bun', async (t) => {
    const bun = await findRuntime('bun');
    if (bun === undefined) return absent(t, 'Bun', 'npm ci in tests/packed/runtimes');
    assert.deepEqual(await saysWith(bun, ['run', '--no-install']), WITH_CONTEXT);
  });

  test('in a browser, bundled for it', async (t) => {
    const browser = findBrowser();
    if (browser === undefined) {
      return absent(t, 'Chromium', 'sudo bash scripts/install-servers.sh');
    }
    const program = `import { playAll } from './play.mjs';\nawait say(await playAll('${nobody}'));`;
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      minify: true,
      keepNames: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    assert.deepEqual(await pageSays(browser, outputFiles[0]!.text), WITHOUT_CONTEXT);
  });
});

/** The full path of the first `node` of that major version on the path. */
async function findNode(major: number): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    const version = await run(path, ['--version']).catch(() => undefined);
    if (version?.stdout.startsWith(`v${major}.`)) return path;
  }
  return undefined;
}

/** A skip that says how to get it; on CI, where it is installed, a failure. */
function absent(t: TestContext, name: string, remedy: string): void {
  const why = `${name} is not on this machine: ${remedy}`;
  if (process.env.CI === 'true') throw new Error(why);
  t.skip(why);
}
