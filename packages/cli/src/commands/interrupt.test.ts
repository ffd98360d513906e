import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import {
  appPorts,
  type Bench,
  ECHO_APP,
  living,
  openBench,
  psOf,
  untilUp,
} from '../testing/run-bench.ts';

/** Long enough to reach from before the first process to well after the last. */
const LONGEST_MS = 1_200;
const SEEDS = 10;

describe('Ctrl-C', () => {
  test('at any moment leaves no process, socket or state behind', async (t) => {
    const random = seededRandom(20_261_121);
    const bench = await openShop(t);
    const outcomes: unknown[] = [];
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const afterMs = random.next() * LONGEST_MS;
      const signal = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)[seed % 3]!;
      const run = bench.holdfast('run', '-f', '.');
      await systemClock.sleep(afterMs);
      run.kill(signal);
      const { status, signal: by } = await run.done;
      // Before the program has read its own first line, Node answers the signal itself.
      const told = `${signal} after ${afterMs} ms: ${status} ${by} ${run.output()}`;
      const ended = status === 0 || by === signal || told;
      outcomes.push([seed, ended, processesOf(bench), await bench.leftovers()]);
    }
    assert.deepEqual(
      outcomes,
      Array.from({ length: SEEDS }, (_, seed) => [seed, true, [], []]),
    );
  });

  test('a second one kills what does not end by itself', async (t) => {
    const deaf =
      "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1e3); console.log('deaf')";
    const bench = await openBench(t, {});
    const run = bench.holdfast('run', '--', process.execPath, '-e', deaf);
    await until('the app is deaf', () => run.output().includes('deaf'));
    run.kill('SIGINT');
    await until('it was asked', () => run.output().includes('== APP == no'));
    run.kill('SIGINT');
    const beganMs = systemClock.now();
    const { status } = await run.done;
    const atOnce = systemClock.now() - beganMs < 9_000;
    assert.deepEqual(
      [status, atOnce, processesOf(bench), await bench.leftovers()],
      [0, true, [], []],
    );
  });

  test('ends the children of a wrapper too', async (t) => {
    const bench = await openBench(t, {});
    const child = `${process.execPath} -e 'console.log("child up"); setInterval(() => {}, 1e3)'`;
    const run = bench.holdfast('run', '--', 'sh', '-c', `${child}; echo never`);
    await until('the child is up', () => run.output().includes('child up'));
    run.kill('SIGINT');
    await run.done;
    assert.deepEqual([processesOf(bench), await bench.leftovers()], [[], []]);
  });
});

describe('a program that uses startRun', () => {
  test('may end in whatever way it likes: nothing outlives it', async (t) => {
    const bench = await openShop(t);
    const index = new URL('../index.ts', import.meta.url).href;
    const program = (end: string) =>
      `import { readRunFile, startRun } from '${index}'; await startRun(await readRunFile('.')); ${end}`;
    const outcomes: unknown[] = [];
    for (const end of ['process.exit(3)', 'throw new Error("lost")', 'Promise.reject(1)']) {
      const { status } = await bench.program(program(end)).done;
      await until('all have ended', () => processesOf(bench).length === 0);
      outcomes.push([status, await bench.leftovers()]);
    }
    assert.deepEqual(outcomes, [
      [3, []],
      [1, []],
      [1, []],
    ]);
  });
});

describe('a supervisor that is killed', () => {
  test('takes its sidecars with it; the next run, or stop, ends the rest', async (t) => {
    const bench = await openShop(t);
    const first = bench.holdfast('run', '-f', '.');
    await untilUp(first);
    const before = await psOf(bench);
    const sidecars = before.filter((info) => info.role === 'sidecar').map((info) => info.pid!);
    const apps = before.filter((info) => info.role === 'service').map((info) => info.pid!);
    first.kill('SIGKILL');
    await until('its sidecars have ended', () => living(sidecars).length === 0);
    assert.deepEqual(living(apps), apps);
    const seen = await bench.holdfast('ps').done;
    assert.match(seen.err, /The supervisor of run "shop" was killed/);
    const refused = await bench.holdfast('kill', 'alpha').done;
    assert.match(refused.err, /was killed, so nobody can act on it; `holdfast stop` ends/);

    // Its ports are the orphans' still: the next run must end them before it asks for its own.
    const second = bench.holdfast('run', '-f', '.');
    await untilUp(second);
    assert.match(second.output(), /A run that was killed here had left alpha, beta behind/);
    assert.deepEqual(living(apps), []);

    const now = (await psOf(bench)).map((info) => info.pid!);
    second.kill('SIGKILL');
    await second.done;
    const stopped = await bench.holdfast('stop').done;
    await until('all have ended', () => living(now).length === 0);
    assert.deepEqual(
      [stopped.out, stopped.status, processesOf(bench), await bench.leftovers()],
      ['shop\n', 0, [], []],
    );
  });
});

async function openShop(t: Parameters<typeof openBench>[0]): Promise<Bench> {
  const [a, b] = await appPorts(2);
  const app = (appDirPath: string, appPort: number) => ({
    appDirPath,
    appPort,
    command: [process.execPath, 'app.mjs'],
  });
  return openBench(t, {
    'alpha/app.mjs': ECHO_APP,
    'beta/app.mjs': ECHO_APP,
    'dapr.yaml': JSON.stringify({
      version: 1,
      name: 'shop',
      common: { appLogDestination: 'console', daprdLogDestination: 'console' },
      apps: [app('alpha', a!), app('beta', b!)],
    }),
  });
}

/** Every process that was started with this bench's state home, found without the supervisor's help. */
function processesOf(bench: Bench): readonly string[] {
  if (process.platform !== 'linux') return [];
  const mark = `HOLDFAST_STATE_HOME=${bench.env.HOLDFAST_STATE_HOME}`;
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
    } catch {
      return false; // ended while we looked, or another user's
    }
  });
}
