import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseLedger } from '../books/ledger-entry.ts';
import { killUnderLoad } from '../testing/readme-drill.ts';
import { type Character, type StandIn, startStandIn } from '../testing/start-stand-in.ts';
import type { Drill } from './drill.ts';
import { isAlive } from './process-control.ts';
import { type RunReport, runDrills } from './run-drills.ts';

describe('a drill on a service that is killed under load', { timeout: 60_000 }, () => {
  test('balances if the service keeps what it accepted', async (t) => {
    const { report, pids, printed } = await hold(t, 'durable', killUnderLoad);

    const [drill] = report.drills;
    assert.deepEqual(
      [report.exitCode, drill?.verdict, report.account?.lost, report.account?.unexpected],
      [0, 'passed', [], []],
      printed.join('\n'),
    );
    assert.ok(report.account?.accepted && report.account.accepted >= 40);
    assert.equal(report.account.delivered, report.account.accepted);
    assert.deepEqual(Object.keys(drill?.recovery ?? {}), [
      'first good answer',
      'queue empty',
      'books settled',
    ]);
    assert.ok(pids.every((pid) => !isAlive(pid)));
  });

  test('does not balance if the service keeps it in memory: exit status 1, every id named', async (t) => {
    const { report, accepted } = await hold(t, 'lossy', killUnderLoad);

    assert.deepEqual([report.exitCode, report.drills[0]?.verdict], [1, 'failed']);
    assert.ok(accepted.length >= 40);
    assert.deepEqual([...(report.account?.lost ?? [])].sort(), [...accepted].sort());
  });

  test('held twice in a run, each has books of its own, and the run has both', async (t) => {
    const { report } = await hold(t, 'durable', killUnderLoad, { times: 2 });

    const [first = 0, second = 0] = report.drills.map(({ account }) => account?.accepted);
    assert.ok(first >= 40 && second >= 40);
    assert.deepEqual([report.exitCode, report.account?.accepted], [0, first + second]);
  });

  test('counts what arrives twice, and balances', async (t) => {
    const { report } = await hold(t, 'twice', killUnderLoad);

    assert.equal(report.exitCode, 0);
    assert.ok((report.account?.duplicates ?? 0) >= 20);
  });

  test('does not balance if something arrives that nobody asked for', async (t) => {
    const { report } = await hold(t, 'ghost', killUnderLoad);

    assert.equal(report.exitCode, 1);
    assert.ok(report.account?.unexpected.every((id) => id.startsWith('ghost-of-')));
    assert.ok((report.account?.unexpected.length ?? 0) >= 20);
  });
});

describe('whatever becomes of a drill', { timeout: 60_000 }, () => {
  test('a script that throws fails, and what it killed runs again', async (t) => {
    const { report, standIn, printed } = await hold(t, 'durable', {
      name: 'thrower',
      promise: 'throws with the service down.',
      async script(run) {
        await run.kill('service');
        throw new Error('the script is broken');
      },
    });

    assert.deepEqual([report.exitCode, report.drills[0]?.verdict], [1, 'failed']);
    assert.equal((await standIn.control.ps())[0]?.state, 'running');
    assert.match(
      printed.join('\n'),
      /❌ the script is broken\n.*mended at the end: service killed/,
    );
  });

  test('a failed check alone makes the verdict bad, and the script goes on', async (t) => {
    const { report, printed } = await hold(t, 'durable', {
      name: 'checker',
      promise: 'checks something false.',
      async script(run) {
        run.check('Two is three.', false, { two: 2 });
        run.check('It goes on.', true);
      },
    });

    assert.deepEqual([report.exitCode, report.account?.balances], [1, true]);
    assert.match(printed.join('\n'), /❌ Two is three\.\n {10}seen: {"two":2}\n.*✅ It goes on\./);
  });

  test('interrupted while a process is paused, it goes on running and the status is 130', async (t) => {
    const interrupt = new AbortController();
    const { report, standIn } = await hold(
      t,
      'durable',
      {
        name: 'sleeper',
        promise: 'waits with the service silent.',
        async script(run) {
          await run.pause('service');
          setTimeout(() => interrupt.abort(), 50);
          await run.waitUntil('This never happens.', async () => false);
        },
      },
      { signal: interrupt.signal },
    );

    assert.deepEqual([report.exitCode, report.drills[0]?.verdict], [130, 'interrupted']);
    const answer = await fetch(standIn.baseUrl);
    assert.deepEqual(await answer.json(), { queued: 0 });
  });

  test('Ctrl-C in the middle starts what was killed and ends with status 130', async () => {
    const drill = spawn(
      process.execPath,
      ['--conditions=source', ...process.execArgv, INTERRUPTIBLE],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    let pressed = false;
    for await (const chunk of drill.stdout) {
      said += chunk;
      if (pressed || !/^killed$/m.test(said)) continue;
      pressed = drill.kill('SIGINT');
    }
    if (drill.exitCode === null) await once(drill, 'exit');

    assert.match(said, /❌ The drill was interrupted\.\n.*mended at the end: service killed/);
    assert.match(said, /^service is running$/m);
    assert.equal(drill.exitCode, 130);
  });

  test('a system that is not there ends the run with status 1 and the reason', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-drill-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const printed: string[] = [];

    const report = await runDrills({
      drills: [killUnderLoad],
      world: () => Promise.reject(new Error('nobody is at home')),
      witness: () => assert.fail('there is no world to ask'),
      control: { ps: async () => [], kill: async () => {}, start: async () => {} },
      baseUrl: 'http://127.0.0.1:9',
      directory,
      print: (line) => printed.push(line),
    });

    assert.deepEqual([report.exitCode, report.drills], [1, []]);
    assert.equal(printed[0], '❌ The run ends here: nobody is at home');
  });

  test('a process that does not exist fails the drill with the names that do', async (t) => {
    const { printed } = await hold(t, 'durable', {
      name: 'stray',
      promise: 'kills what is not there.',
      script: (run) => run.kill('nobody'),
    });

    assert.match(printed.join('\n'), /❌ No process is called "nobody"\. There are: service\./);
  });
});

const INTERRUPTIBLE = fileURLToPath(new URL('../testing/interruptible.ts', import.meta.url));

/** Holds one drill on a fresh stand-in and says everything that came of it. */
async function hold(
  t: TestContext,
  character: Character,
  drill: Drill<StandIn>,
  { signal, times = 1 }: { readonly signal?: AbortSignal; readonly times?: number } = {},
): Promise<{
  report: RunReport;
  standIn: StandIn;
  printed: readonly string[];
  accepted: readonly string[];
  pids: readonly number[];
}> {
  const standIn = await startStandIn(character);
  t.after(() => standIn.stop());
  const printed: string[] = [];
  const report = await runDrills({
    drills: Array.from({ length: times }, () => drill),
    world: async () => standIn,
    witness: () => standIn.witness,
    control: standIn.control,
    baseUrl: standIn.baseUrl,
    directory: join(standIn.directory, 'runs'),
    print: (line) => printed.push(line),
    settleLimitMs: character === 'lossy' ? 500 : 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const said = printed.join('\n');
  const ledger = /client's ledger: (\S+)/.exec(said)?.[1] ?? '';
  const entries = parseLedger(await readFile(ledger, 'utf8'));
  const accepted = entries.flatMap((entry) => (entry.kind === 'accepted' ? [entry.id] : []));
  const pids = [...said.matchAll(/SIGKILL to pid (\d+)/g)].map((match) => Number(match[1]));
  return { report, standIn, printed, accepted, pids };
}
