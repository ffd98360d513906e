import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RUN_FLAGS } from './flags/run-flags.ts';
import { interruptSignals, readRunFile, startRun } from './index.ts';
import { appPorts, ECHO_APP, living, openBench } from './testing/run-bench.ts';

test('the example of the README runs, and is the one in the README', async (t) => {
  const [port] = await appPorts(1);
  const app = {
    appDirPath: '.',
    appID: 'orders',
    appPort: 1,
    command: [process.execPath, 'app.mjs'],
  };
  const bench = await openBench(t, {
    'app.mjs': ECHO_APP,
    'dapr.yaml': JSON.stringify({ version: 1, apps: [app] }),
  });
  const written: string[] = [];
  const pids: (number | null)[] = [];

  await example(
    bench.dir,
    port!,
    (line) => written.push(line),
    (pid) => pids.push(pid),
  );

  assert.deepEqual(
    [
      written.includes('orders: listening'),
      pids.length,
      living(pids.map(Number)),
      await bench.leftovers(),
    ],
    [true, 2, [], []],
  );
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, shown] = /```ts\n([\s\S]*?)\n```/.exec(readme)!;
  assert.equal(
    bare(shown!),
    bare(example.toString().split('// from here')[1]!.split('// to here')[0]!),
  );
});

test('every flag of holdfast run that Dapr gives a letter has it', () => {
  const letters = RUN_FLAGS.flatMap(({ letter }) => (letter === undefined ? [] : [letter])).sort();
  assert.deepEqual(letters.join(''), 'GHIMPacdfhkpu');
});

async function example(
  dir: string,
  port: number,
  write: (line: string) => void,
  seen: (pid: number | null) => void,
): Promise<void> {
  process.env.HOLDFAST_STATE_HOME = `${dir}/state-home`;
  // from here
  const interrupts = interruptSignals(); // first: no moment is left in which Ctrl-C leaves processes behind
  const runFile = await readRunFile(dir);
  const apps = runFile.apps.map((app) => ({ ...app, appPort: port })); // plain data: change what you like
  const run = await startRun(
    { ...runFile, apps },
    {
      ...interrupts,
      onLine: (name, line) => write(`${name}: ${line}`),
    },
  );
  for (const { pid } of run.ps()) seen(pid);
  await run.kill('orders'); // SIGKILL, to that process alone
  await run.start('orders'); // resolves when it listens again
  await run.stop();
  // to here
  interrupts.close();
}

/** Code without what a formatter or the type stripper may change. */
function bare(code: string): string {
  return code.replace(/[\s,;]/g, '');
}
