import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { appPorts, ECHO_APP, living, openBench, psOf, untilUp } from '../testing/run-bench.ts';

describe('holdfast run -- CMD', { concurrency: 2 }, () => {
  test('starts a sidecar, then the app, tells each of the other, and ends with the app’s status', async (t) => {
    const [port] = await appPorts(1);
    const app = `
      const { APP_ID, APP_PORT, DAPR_HTTP_PORT } = process.env;
      const metadata = async () => (await (await fetch('http://127.0.0.1:' + DAPR_HTTP_PORT + '/v1.0/metadata')).json()).extended;
      require('node:http').createServer().listen(APP_PORT, '127.0.0.1');
      console.log('I am', APP_ID);
      (async () => {
        let told;
        do told = await metadata(); while (told.appPID === undefined || told.cliPID === undefined || told.appCommand === undefined);
        console.log(told.appPID === String(process.pid), told.cliPID === String(process.ppid), told.appCommand);
        process.exit(7);
      })();`;
    const bench = await openBench(t, { 'app.cjs': app });
    const run = bench.holdfast(
      'run',
      '-a',
      'orders',
      '-p',
      String(port),
      '--',
      process.execPath,
      'app.cjs',
    );
    const { status, out } = await run.done;
    const lines = out.split('\n').filter((line) => line.startsWith('== APP == '));
    assert.deepEqual(
      [status, lines, await bench.leftovers()],
      [7, ['== APP == I am orders', `== APP == true true ${process.execPath} app.cjs`], []],
    );
  });

  test('is 128 and the signal’s number when a signal ended the app', async (t) => {
    const bench = await openBench(t, {});
    const die = 'process.kill(process.pid, "SIGKILL")';
    const { status } = await bench.holdfast('run', '--', process.execPath, '-e', die).done;
    assert.deepEqual([status, await bench.leftovers()], [137, []]);
  });

  test('names the command that is not there, and leaves nothing behind', async (t) => {
    const bench = await openBench(t, {});
    const { status, err } = await bench.holdfast('run', '-a', 'a', '--', 'no-such-command').done;
    const sentence = `holdfast: "a" cannot start: there is no command \`no-such-command\`, on the PATH or from ${bench.dir}.\n`;
    assert.deepEqual([status, err, await bench.leftovers()], [1, sentence, []]);
  });

  test('two runs in one folder are told apart, and find each other by name', async (t) => {
    const [one, two] = await appPorts(2);
    const bench = await openBench(t, { 'app.mjs': ECHO_APP });
    const start = (id: string, port: number) =>
      bench.holdfast('run', '-a', id, '-p', String(port), '--', process.execPath, 'app.mjs');
    const runs = [start('one', one!), start('two', two!)];
    await untilUp(...runs);

    const { status, err } = await bench.holdfast('ps').done;
    const sentence = 'holdfast: There are 2 runs; say which with --run NAME or -f FILE:\n';
    assert.deepEqual([status, err.startsWith(sentence)], [1, true], err);
    const { out } = await bench.holdfast('ps', '--json', '--run', 'one').done;
    const sidecar = JSON.parse(out)[0].ports.http;
    const answer = await fetch(`http://127.0.0.1:${sidecar}/v1.0/invoke/two/method/hello`);
    const { APP_ID, path } = (await answer.json()) as Record<string, string>;
    assert.deepEqual([answer.status, APP_ID, path], [200, 'two', '/hello']);

    await bench.holdfast('stop', '--run', 'one').done;
    await bench.holdfast('stop').done;
    const ended = await Promise.all(runs.map((run) => run.done));
    assert.deepEqual([ended.map((end) => end.status), await bench.leftovers()], [[0, 0], []]);
  });
});

describe('holdfast run -f', { concurrency: 2 }, () => {
  test('keeps a run file’s processes; kill, start and stop act on one or all of them', async (t) => {
    const [a, b, sql] = await appPorts(3);
    const database = `require('node:net').createServer().listen(${sql}, '127.0.0.1')`;
    const bench = await openBench(t, {
      'alpha/app.mjs': ECHO_APP,
      'beta/app.mjs': ECHO_APP,
      'dapr.yaml': JSON.stringify({
        version: 1,
        name: 'shop',
        common: { env: { WORD: 'shared' }, appLogDestination: 'console' },
        apps: [
          {
            appDirPath: 'alpha',
            appPort: a,
            command: [process.execPath, 'app.mjs'],
            needs: ['db'],
          },
          {
            appDirPath: 'beta',
            appPort: b,
            command: [process.execPath, 'app.mjs'],
            env: { WORD: 'own' },
          },
        ],
        holdfast: {
          processes: [
            {
              name: 'db',
              role: 'database',
              command: [process.execPath, '-e', database],
              ports: { sql },
              ready: { tcp: sql },
            },
          ],
        },
      }),
    });
    const run = bench.holdfast('run', '-f', '.');
    await untilUp(run);

    const before = await psOf(bench);
    assert.deepEqual(
      before.map(({ name, role, app_id, state, ports }) => [
        name,
        role,
        app_id,
        state,
        Object.keys(ports),
      ]),
      [
        ['db', 'database', undefined, 'running', ['sql']],
        ['alpha-sidecar', 'sidecar', 'alpha', 'running', ['http', 'grpc', 'internal', 'metrics']],
        ['alpha', 'service', 'alpha', 'running', ['http']],
        ['beta-sidecar', 'sidecar', 'beta', 'running', ['http', 'grpc', 'internal', 'metrics']],
        ['beta', 'service', 'beta', 'running', ['http']],
      ],
    );
    const named = (infos: typeof before, name: string) => infos.find((info) => info.name === name)!;
    const sidecar = named(before, 'alpha-sidecar').ports.http!;
    const ask = async () =>
      (await fetch(`http://127.0.0.1:${sidecar}/v1.0/invoke/beta/method/x`)).status;
    const told = await (await fetch(`http://127.0.0.1:${a}/`)).json();
    assert.deepEqual(told, {
      APP_ID: 'alpha',
      APP_PORT: String(a),
      APP_PROTOCOL: 'http',
      APP_CHANNEL_ADDRESS: '127.0.0.1',
      DAPR_HTTP_PORT: String(sidecar),
      WORD: 'shared',
      path: '/',
    });

    const killed = await bench.holdfast('kill', 'beta').done;
    const during = await psOf(bench);
    assert.deepEqual(
      [
        killed.out,
        named(during, 'beta'),
        named(during, 'beta-sidecar').state,
        living([named(before, 'beta').pid!]),
        await ask(),
      ],
      [
        'beta\n',
        {
          name: 'beta',
          role: 'service',
          pid: null,
          ports: { http: b },
          app_id: 'beta',
          state: 'down',
        },
        'running',
        [],
        500,
      ],
    );
    await bench.holdfast('start', 'beta').done;
    assert.equal(await ask(), 200);

    await bench.holdfast('kill', 'alpha-sidecar', '-s', 'TERM').done;
    assert.equal(named(await psOf(bench), 'alpha').pid, named(before, 'alpha').pid);
    await bench.holdfast('start', 'alpha-sidecar').done;
    assert.equal(await ask(), 200, 'it is back on the port its app knows');

    const wrong = await bench.holdfast('kill', 'alhpa').done;
    assert.match(wrong.err, /^holdfast: Run "shop" has no process "alhpa"; did you mean `alpha`\?/);

    const pids = (await psOf(bench)).map((info) => info.pid!);
    const stopped = await bench.holdfast('stop', '-f', 'dapr.yaml').done;
    const { status } = await run.done;
    assert.deepEqual(
      [stopped.out, status, pids.length, living(pids), await bench.leftovers()],
      ['shop\n', 0, 5, [], []],
    );
  });

  test('refuses a taken port before it starts anything, with number, owner and remedy', async (t) => {
    const [port] = await appPorts(1);
    const bench = await openBench(t, {
      'app.mjs': ECHO_APP,
      'dapr.yaml': JSON.stringify({
        version: 1,
        apps: [{ appDirPath: '.', appID: 'a', daprHTTPPort: port }],
      }),
    });
    const { createServer } = await import('node:net');
    const holder = createServer().listen(port, '127.0.0.1');
    t.after(() => holder.close());
    const { status, err } = await bench.holdfast('run', '-f', 'dapr.yaml').done;
    assert.deepEqual(
      [status, err, await bench.leftovers()],
      [
        1,
        `holdfast: Port ${port} is taken, and app "a" (daprHTTPPort) asks for it; end the program that listens on it, or give it another port (\`daprHTTPPort\` in the run file, or --dapr-http-port).\n`,
        [],
      ],
    );
  });

  test('says why an app that ends at once did, and ends the rest', async (t) => {
    const [port] = await appPorts(1);
    const bench = await openBench(t, {
      'dapr.yaml': JSON.stringify({
        version: 1,
        common: { appLogDestination: 'console', daprdLogDestination: 'console' },
        apps: [
          {
            appDirPath: '.',
            appID: 'a',
            appPort: port,
            command: [process.execPath, '-e', 'console.error("no licence"); process.exit(3)'],
          },
        ],
      }),
    });
    const { status, err } = await bench.holdfast('run', '-f', 'dapr.yaml').done;
    const sentence =
      'holdfast: "a" ended with status 3 before it was ready. Its last lines:\n  no licence\n';
    assert.deepEqual([status, err.endsWith(sentence), await bench.leftovers()], [1, true, []], err);
  });

  test('says where the logs are that it does not show, when it is started twice, and what was down when it was killed', async (t) => {
    const [port] = await appPorts(1);
    const command = [process.execPath, '-e', 'setInterval(() => {}, 1e3)'];
    const app = { appDirPath: 'a', appID: 'a', daprHTTPPort: port, command };
    const bench = await openBench(t, {
      'dapr.yaml': JSON.stringify({ version: 1, apps: [app] }),
      'a/here': '',
    });
    const run = bench.holdfast('run', '-f', '.');
    await untilUp(run);

    await bench.holdfast('kill', 'a').done;
    const killed = await bench.holdfast('kill', 'a').done;
    const again = await bench.holdfast('run', '-f', '.').done;
    await bench.holdfast('stop').done;
    await run.done;

    assert.deepEqual(
      [killed.status, killed.out, killed.err],
      [0, 'a\n', '"a" was down already; `holdfast start a` starts it.\n'],
    );
    const logs = join(bench.dir, 'a', '.dapr', 'logs');
    assert.ok(run.output().includes(`Ctrl-C ends them. Logs: ${logs}.`), run.output());
    const name = basename(bench.dir);
    assert.equal(
      again.err,
      `holdfast: Port ${port} is taken, and app "a" (daprHTTPPort) asks for it; "a-sidecar" of the run "${name}" has it, which \`holdfast stop --run ${name}\` ends, or give it another port (\`daprHTTPPort\` in the run file, or --dapr-http-port).\n`,
    );
  });

  test('starts again what has restart: on-failure, and keeps down what has not', async (t) => {
    const count = 'const fs=require("fs");fs.appendFileSync("count","x");setInterval(()=>{},1e3)';
    const bench = await openBench(t, {
      'dapr.yaml': JSON.stringify({
        version: 1,
        common: { appLogDestination: 'console', daprdLogDestination: 'console' },
        apps: [
          {
            appDirPath: '.',
            appID: 'a',
            command: [process.execPath, '-e', count],
            restart: 'on-failure',
          },
        ],
      }),
    });
    const run = bench.holdfast('run', '-f', '.');
    await untilUp(run);
    const [, first] = await psOf(bench);
    await bench.holdfast('kill', 'a').done;
    await until('it runs again', async () => {
      const [, now] = await psOf(bench);
      return now!.state === 'running' && now!.pid !== first!.pid;
    });
    assert.match(run.output(), /"a" ended with signal SIGKILL; it starts again in 100 ms\./);
  });
});
