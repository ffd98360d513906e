import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { parse } from 'yaml';
import type { RunningApp } from '../run-state/running-apps.ts';
import {
  appPorts,
  type Bench,
  ECHO_APP,
  living,
  openBench,
  psOf,
  untilUp,
} from '../testing/run-bench.ts';

describe('holdfast list and stop --app-id', { concurrency: 2 }, () => {
  test('list has the apps of all runs, in the words of dapr list', async (t) => {
    const [a, b, c] = await appPorts(3);
    const bench = await openBench(t, { 'app.mjs': ECHO_APP, 'dapr.yaml': shop(a!, b!) });
    const none = await bench.holdfast('list').done;
    const nothing = await bench.holdfast('list', '-o', 'json').done;
    assert.deepEqual(
      [none.out, nothing.out],
      ['No app is running; `holdfast run` starts one.\n', '[]\n'],
    );
    const alone = bench.holdfast('run', ...command('alone', c!));
    const run = bench.holdfast('run', '-f', '.');
    await untilUp(run, alone);

    const apps = (await listed(bench)).toSorted((x, y) => x.appId.localeCompare(y.appId));
    const started = `${process.execPath} app.mjs`;
    const file = join(bench.dir, 'dapr.yaml');
    assert.deepEqual(
      apps.map((app) => [app.appId, app.appPort, app.command, app.cliPid, app.runTemplatePath]),
      [
        ['alone', c, started, alone.pid, ''],
        ['alpha', a, started, run.pid, file],
        ['beta', b, started, run.pid, file],
      ],
    );
    const ps = JSON.parse((await bench.holdfast('ps', '--run', 'shop', '-o', 'json').done).out);
    const alpha = apps[1]!;
    assert.deepEqual(
      [alpha.daprdPid, alpha.appPid, alpha.httpPort, alpha.grpcPort, alpha.metricsEnabled],
      [ps[0].pid, ps[1].pid, ps[0].ports.http, ps[0].ports.grpc, true],
    );
    assert.match(alpha.age, /^\d+[sm]$/);
    assert.match(alpha.created, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const yaml = parse((await bench.holdfast('ls', '--output', 'yaml').done).out) as RunningApp[];
    assert.deepEqual(yaml.map(({ appId }) => appId).toSorted(), ['alone', 'alpha', 'beta']);
    const table = (await bench.holdfast('list').done).out.split('\n');
    assert.match(table[0]!, /^APP ID +HTTP PORT +GRPC PORT +APP PORT +COMMAND +AGE +CREATED/);
    assert.equal(table.length, 5);
    await bench.holdfast('stop', '-a', 'alone').done;
    await bench.holdfast('stop').done;
  });

  test('list has a sidecar that was started without a run', async (t) => {
    if (process.platform !== 'linux')
      return t.skip('elsewhere sidecars of other folders of runs show, too');
    const [http, grpc] = await appPorts(2);
    const bench = await openBench(t, {});
    const sidecar = bench.holdfastd(
      ...['-app-id', 'lone', '--app-port=80', '--metrics-port', '0', '--enable-metrics=false'],
      ...['-dapr-http-port', String(http), '--dapr-grpc-port', String(grpc)],
      ...['--dapr-internal-grpc-port', '0'],
    );
    await until('it runs', () => sidecar.output().includes('application protocol: http'));
    const [lone, ...others] = await listed(bench);
    assert.deepEqual(others, []);
    const { age, created, ...known } = lone!;
    assert.match(`${age} ${created}`, /^\d+[sm] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.deepEqual(known, {
      ...{ appId: 'lone', httpPort: http, grpcPort: grpc, appPort: 80, metricsEnabled: false },
      ...{ command: '', daprdPid: sidecar.pid, cliPid: 0, appPid: 0 },
      ...{ runTemplatePath: '', runTemplateName: '' },
    });
    const [, row] = (await bench.holdfast('list').done).out.split('\n');
    assert.match(row!, /^lone +\d+ +\d+ +80 +.* \d+ +- +- +-$/);
  });

  test('stop --app-id ends an app and its sidecar, and with the last app its run', async (t) => {
    const [a, b] = await appPorts(2);
    const bench = await openBench(t, { 'app.mjs': ECHO_APP, 'dapr.yaml': shop(a!, b!) });
    const run = bench.holdfast('run', '-f', '.');
    await untilUp(run);
    const before = await psOf(bench);
    const pids = (id: string) =>
      before.filter(({ app_id }) => app_id === id).map(({ pid }) => pid!);

    const wrong = await bench.holdfast('stop', '--app-id', 'alhpa').done;
    assert.deepEqual(
      [wrong.status, wrong.err],
      [1, 'holdfast: No app "alhpa" is running; did you mean `alpha`? There is alpha, beta.\n'],
    );
    const first = await bench.holdfast('stop', '--app-id', 'alpha', '--run-file', '.', '-w').done;
    assert.deepEqual([first.status, first.out], [0, 'alpha\n'], first.err);
    assert.deepEqual([living(pids('alpha')), living(pids('beta'))], [[], pids('beta')]);
    assert.deepEqual(
      (await listed(bench)).map(({ appId }) => appId),
      ['beta'],
    );

    await bench.holdfast('start', 'alpha-sidecar').done;
    await bench.holdfast('start', 'alpha').done;
    const back = await psOf(bench);
    assert.deepEqual(
      back.map(({ name, state }) => `${name} ${state}`),
      before.map(({ name }) => `${name} running`),
    );
    const last = await bench.holdfast('stop', 'alpha', '--app-id', 'beta').done;
    const { status } = await run.done;
    assert.deepEqual([last.out, status, await bench.leftovers()], ['alpha\nshop\n', 0, []]);
  });

  test('stop names a run that was taken for an app, and runs that have the same app', async (t) => {
    const bench = await openBench(t, { 'app.mjs': ECHO_APP });
    const ports = await appPorts(2);
    const runs = ports.map((port) => bench.holdfast('run', ...command('twin', port)));
    await untilUp(...runs);
    const both = await bench.holdfast('stop', '-a', 'twin').done;
    assert.match(
      both.err,
      /^holdfast: 2 runs have an app "twin"; say which with --run NAME or -f FILE:\n/,
    );
    const second = await bench.holdfast('stop', 'twin-2').done;
    assert.equal(
      second.err,
      'holdfast: "twin-2" is no app but a run; `holdfast stop --run twin-2` ends it.\n',
    );
    await bench.holdfast('stop', '-a', 'twin', '--run', 'twin-2').done;
    await bench.holdfast('stop', '-a', 'twin').done;
    const ended = await Promise.all(runs.map(({ done }) => done));
    assert.deepEqual([ended.map(({ status }) => status), await bench.leftovers()], [[0, 0], []]);
  });
});

const command = (id: string, port: number): readonly string[] => [
  ...['-a', id, '-p', String(port), '--', process.execPath, 'app.mjs'],
];

/** A run of two apps. */
const shop = (alpha: number, beta: number): string =>
  JSON.stringify({
    version: 1,
    name: 'shop',
    apps: Object.entries({ alpha, beta }).map(([appID, appPort]) => ({
      ...{ appDirPath: '.', appID, appPort },
      command: [process.execPath, 'app.mjs'],
    })),
  });

async function listed(bench: Bench): Promise<readonly RunningApp[]> {
  return JSON.parse((await bench.holdfast('list', '-o', 'json').done).out) as RunningApp[];
}
