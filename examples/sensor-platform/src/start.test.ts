import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, until } from '@holdfast/test-servers';
import { removeHome } from './postgres/home.ts';

test('a port that is taken is named, with who asks for it and what to do; nothing is left behind', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;

  const { state, ended } = await start(t, ['--port', String(port)]);
  const { status, text } = await ended;

  assert.equal(status, 1);
  assert.match(text, new RegExp(`Port ${port} is taken, and app "api-gateway"`));
  assert.match(text, /npm start -- --port 0/);
  assert.deepEqual(await processesOf(state), []);
});

test('Ctrl-C in the middle of the start leaves no process behind', async (t) => {
  const { state, child, ended } = await start(t, ['--port', '0']);
  await until('it has begun', () => existsSync(join(state, 'sensor-postgres', 'pgpass')));
  child.kill('SIGINT');
  const { status } = await ended;

  assert.equal(status, 130);
  await eventually(
    () => processesOf(state),
    (left) => left.length === 0,
    'all have ended',
  );
});

test('what it does not understand it says in one sentence', async (t) => {
  const texts = await Promise.all(
    [['--port', 'x'], ['--broker', 'rabbit'], ['--frsh']].map(async (args) => {
      const { status, text } = await (await start(t, args)).ended;
      return `${status} ${text.split('\n').find((line) => line.includes("'--") || line.includes('must'))}`;
    }),
  );

  assert.deepEqual(texts.slice(0, 2), [
    '1 --port must be a whole number from 0 to 65535, not x.',
    '1 --broker must be mqtt, kafka or kafka://host:port, not rabbit.',
  ]);
  assert.match(texts[2] ?? '', /^1 Unknown option '--frsh'/);
});

test('a drill it does not know is answered with those it knows, before anything is started', async (t) => {
  const { status, text } = await (await start(t, ['--drill', 'atuh'])).ended;

  assert.equal(status, 2);
  assert.match(text, /^There is no drill called "atuh"\.\n.*\n {2}auth /);
});

/** Runs `npm start -- ARGS` without npm, with a state of its own. */
async function start(t: TestContext, args: readonly string[]) {
  const state = await mkdtemp(join(tmpdir(), 'start-test-'));
  const program = new URL('./start.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=source', program, '--data', state, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  child.stdout?.on('data', (chunk) => (text += chunk));
  child.stderr?.on('data', (chunk) => (text += chunk));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number, text }));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    for (const name of ['sensor-postgres', 'auth-postgres']) await removeHome(join(state, name));
    await rm(state, { recursive: true, force: true });
  });
  return { state, child, ended };
}

/** What runs with a folder in its command line or environment (Linux; elsewhere nothing is found). */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string) =>
    readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const texts = await Promise.all(
    pids.map(async (pid) => (await read(pid, 'cmdline')) + (await read(pid, 'environ'))),
  );
  return texts.filter((text) => text.includes(folder));
}
