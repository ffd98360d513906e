import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type RunFile, readRunFile, startRun } from '../index.ts';
import type { RunRecord } from '../run-state/run-record.ts';
import { appPorts, ECHO_APP, living, openBench } from '../testing/run-bench.ts';

describe('startRun', () => {
  test('runs a file that a program has read and changed', async (t) => {
    const [port, other] = await appPorts(2);
    const { runFile, options, dir } = await openApp(t, { appPort: port });
    const lines: string[] = [];
    const changed: RunFile = {
      ...runFile,
      apps: runFile.apps.map((app) => ({ ...app, appPort: other!, env: { WORD: 'changed' } })),
    };
    const onLine = (name: string, line: string) => lines.push(`${name}: ${line}`);
    const run = await startRun(changed, { ...options, onLine, stateDir: join(dir, 'state') });
    const { WORD } = (await (await fetch(`http://127.0.0.1:${other}/`)).json()) as { WORD: string };
    const states = run.ps().map(({ name, state }) => [name, state]);
    const pids = run.ps().map(({ pid }) => pid!);
    assert.deepEqual(
      [WORD, states, await readdir(join(dir, 'state')), lines.includes('app: listening')],
      [
        'changed',
        [
          ['app-sidecar', 'running'],
          ['app', 'running'],
        ],
        ['shop'],
        true,
      ],
    );
    await run.stop();
    const { reason, status } = await run.ended;
    const left = await readdir(join(dir, 'state'));
    assert.deepEqual([reason, status, living(pids), left], ['stopped', 0, [], []]);
  });

  test('an abort while it starts ends what had started, and is the reason it throws', async (t) => {
    const { runFile, options } = await openApp(t, { command: [process.execPath, 'app.mjs'] });
    const caller = new AbortController();
    const stopped = new Error('enough');
    const starting = startRun(runFile, { ...options, signal: caller.signal });
    setImmediate(() => caller.abort(stopped));
    await assert.rejects(starting, stopped);
  });

  test('writes log files where Dapr does, readable by their owner', async (t) => {
    const [port] = await appPorts(1);
    const { runFile, options, dir } = await openApp(t, {
      appPort: port,
      appLogDestination: 'file',
    });
    const seen: string[] = [];
    const run = await startRun(runFile, { ...options, onLine: (name) => seen.push(name) });
    await run.stop();
    const logs = join(dir, '.dapr', 'logs');
    const [app, daprd] = (await readdir(logs)).sort();
    assert.match(`${app} ${daprd}`, /^app_app_\d{14}\.log app_daprd_\d{14}\.log$/);
    assert.deepEqual([await readFile(join(logs, app!), 'utf8'), seen], ['listening\n', []]);
  });

  test('a process that is never ready is named with its check and its limit', async (t) => {
    const { runFile, options } = await openApp(t, {});
    const [port] = await appPorts(1);
    const never = {
      name: 'db',
      role: 'database',
      command: [process.execPath, '-e', 'setInterval(() => {}, 1e3)'],
      ready: { tcp: port! },
      readyTimeoutMs: 50,
    } as const;
    await assert.rejects(startRun({ ...runFile, holdfast: { processes: [never] } }, options), {
      code: 'NOT_READY',
      process: 'db',
      message: `"db" was not ready after 50 ms (tcp ${port}); raise readyTimeoutMs or see its lines.`,
    });
  });

  test('what contradicts itself after a change is refused before anything starts', async (t) => {
    const { runFile, options } = await openApp(t, { appPort: 8080 });
    const twice = { ...runFile, apps: [...runFile.apps, ...runFile.apps] };
    await assert.rejects(startRun(twice, options), {
      code: 'RUN_FILE_INVALID',
      message: /appID "app" is there twice/,
    });
  });

  test('outboxes are kept beside the run file, and outlive the run', async (t) => {
    const [port] = await appPorts(1);
    const { runFile, options, dir } = await openApp(t, { appPort: port, resourcesPath: '.' });
    const metadata = [{ name: 'outbox', value: 'true' }];
    const spec = { type: 'pubsub.in-memory', version: 'v1', metadata };
    const component = { apiVersion: 'dapr.io/v1alpha1', kind: 'Component', spec };
    await writeFile(
      join(dir, 'broker.yaml'),
      JSON.stringify({ ...component, metadata: { name: 'broker' } }),
    );
    const run = await startRun(runFile, options);
    await run.stop();
    const kept = await readdir(join(dir, '.holdfast', 'state'));
    assert.ok(kept.includes('outbox.default.app.broker.db'), kept.join());
  });

  test('its control socket answers only those who know the word in its record', async (t) => {
    const { runFile, options, dir } = await openApp(t, {});
    const run = await startRun(runFile, options);
    const path = join(dir, '.holdfast', 'run', 'shop', 'run.json');
    const { control } = JSON.parse(await readFile(path, 'utf8')) as RunRecord;
    const ask = (token: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` };
        request({ socketPath: control.socket, path: '/ps', method: 'POST', headers })
          .on('response', (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    const answers = [await ask(control.token), await ask('wrong')];
    await run.stop();
    assert.deepEqual(answers, [200, 400]);
  });
});

describe('readRunFile', () => {
  test('names the folders that are not there', async (t) => {
    const bench = await openBench(t, {
      'dapr.yaml': 'version: 1\ncommon: {resourcesPaths: [res]}\napps: [{appDirPath: nowhere}]\n',
    });
    await assert.rejects(readRunFile(bench.dir), (error: Error) => {
      const [where, common] = [join(bench.dir, 'nowhere'), join(bench.dir, 'res')];
      const file = join(bench.dir, 'dapr.yaml');
      assert.deepEqual(error.message.split('\n'), [
        `${file}:2:27 error missing-path: common names ${common}, which is not there.`,
        `${file}:3:21 error missing-path: appDirPath of app "nowhere", ${where}, is not a folder.`,
      ]);
      return true;
    });
  });
});

/** A run file of one app; what is given replaces keys of that app. */
async function openApp(t: TestContext, app: Readonly<Record<string, unknown>>) {
  const bench = await openBench(t, {
    'app.mjs': ECHO_APP,
    'dapr.yaml': JSON.stringify({
      version: 1,
      name: 'shop',
      apps: [{ appDirPath: '.', appID: 'app', command: [process.execPath, 'app.mjs'], ...app }],
    }),
  });
  return { runFile: await readRunFile(bench.dir), options: { env: bench.env }, dir: bench.dir };
}
