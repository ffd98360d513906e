import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { freePort, until } from '@holdfast/test-servers';
import { PortTakenError, type SidecarOptions, startSidecar } from './index.ts';
import { sharedNames } from './testing/shared-names.ts';
import { startMesh, temporaryFolder } from './testing/start-mesh.ts';

const free = { appId: 'one', httpPort: 0, metricsPort: 0 } as const;

describe('startSidecar', () => {
  for (const [option, flag] of [
    ['httpPort', '--dapr-http-port'],
    ['internalPort', '--dapr-internal-grpc-port'],
    ['metricsPort', '--metrics-port'],
    ['publicPort', '--dapr-public-port'],
  ] as const) {
    test(`names the port and ${flag} when ${option} is taken, and leaves nothing behind`, async (t) => {
      const taken = await occupied(t);
      const before = openHandles();

      const started = startSidecar({ ...free, names: sharedNames()(), [option]: taken });
      t.after(() =>
        started.then(
          (sidecar) => sidecar.stop({ force: true }),
          () => {},
        ),
      );

      await assert.rejects(started, (error: unknown) => {
        assert.ok(error instanceof PortTakenError);
        assert.deepEqual([error.port, error.flag], [taken, flag]);
        assert.equal(
          error.message,
          `Port ${taken} on 127.0.0.1, asked for by ${flag}, is taken by another process; give ${flag} another number.`,
        );
        return true;
      });
      await until('handles are back to what they were', () => openHandles() <= before);
    });
  }

  test('leaves no handle and no row behind when it stops', async (t) => {
    const folder = await temporaryFolder(t);
    const config = path.join(folder, 'config.yaml');
    const file = path.join(folder, 'names.db');
    await writeFile(
      config,
      `kind: Configuration\nspec: { nameResolution: { component: sqlite, configuration: { connectionString: "${file}" } } }`,
    );
    const before = openHandles();
    const sidecar = await startSidecar({
      ...free,
      configPaths: [config],
      resourcesPaths: [folder],
    });
    t.after(() => sidecar.stop({ force: true }));
    const during = rows(file);

    await sidecar.stop();
    await sidecar.ended;

    assert.deepEqual([during, rows(file)], [['one'], []]);
    await until('handles are back to what they were', () => openHandles() <= before);
  });

  test('finds others by mDNS where no configuration says otherwise, and takes its records back', async (t) => {
    const before = openHandles();
    const sidecar = await startSidecar(free);
    t.after(() => sidecar.stop({ force: true }));
    const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/nobody-at-all/method/x`;

    const answer = await fetch(url);

    assert.match(await answer.text(), /err: couldn't find service: nobody-at-all/);
    await sidecar.stop();
    await until('handles are back to what they were', () => openHandles() <= before);
  });

  test('warns of an API that is open to the network without a token', async () => {
    const lines: string[] = [];
    const note = (message: string): void => void lines.push(message);
    const log = { debug: note, info: note, warn: note, error: note, child: () => log };
    const options = { ...free, listenAddresses: ['0.0.0.0'], names: sharedNames()() };

    const sidecar = await startSidecar(options, { log });
    await sidecar.stop({ force: true });

    assert.match(lines.join('\n'), /The API listens on 0\.0\.0\.0 without a token/);
  });

  test('lets calls in flight end before it stops, and refuses new ones', async (t) => {
    let release: (() => void) | undefined;
    const { caller, url } = await startMesh(t, (_req, res) => {
      release = () => res.end('done');
    });
    const answer = fetch(`${url}/slow`);
    await until('the call has arrived', () => release !== undefined);

    const stopped = caller.stop();
    release?.();

    assert.equal(await (await answer).text(), 'done');
    await stopped;
    await assert.rejects(fetch(`${url}/late`));
  });

  test('cuts calls that outlast the time for stopping', async (t) => {
    const { caller, url } = await startMesh(t, () => {}, { caller: { gracefulShutdownMs: 50 } });
    const answer = fetch(`${url}/never`).then(
      () => 'answered',
      () => 'cut',
    );
    await until('the call is in flight', async () => (await circuitless(caller.ports.http)) > 0);

    await caller.stop();

    assert.equal(await answer, 'cut');
  });

  test('stops at once when it is told so by force, also when it is stopping already', async (t) => {
    let inside = false;
    const app = () => {
      inside = true;
    };
    const { caller, url } = await startMesh(t, app, { caller: { gracefulShutdownMs: 600_000 } });
    const answer = fetch(`${url}/never`).catch(() => 'cut');
    await until('the call has arrived', () => inside);

    const stopped = caller.stop();
    void caller.stop({ force: true });
    await stopped;

    assert.equal(await answer, 'cut');
  });

  test('refuses options that cannot be, naming option, rule and value', async () => {
    const wrong: readonly [Partial<SidecarOptions>, string][] = [
      [
        { appId: 'a.b' },
        'sidecar.appId must be a name without dots, slashes and spaces, not "a.b".',
      ],
      [{ httpPort: 70_000 }, 'sidecar.httpPort must be a whole number from 0 to 65535, not 70000.'],
      [{ appPort: 0 }, 'sidecar.appPort must be a whole number from 1 to 65535, not 0.'],
      [
        { appHealthCheck: { intervalMs: 0 } },
        'sidecar.appHealthCheck.intervalMs must be a whole number from 1 to 2147483647, not 0.',
      ],
      [
        { appHealthCheck: { threshold: 0.5 } },
        'sidecar.appHealthCheck.threshold must be a whole number from 1 to 2147483647, not 0.5.',
      ],
      [
        { maxBodyBytes: 0 },
        'sidecar.maxBodyBytes must be a whole number from 1 to 1099511627776, not 0.',
      ],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(startSidecar({ ...free, ...options }), { name: 'RangeError', message });
    }
  });

  test('does not start without a configuration it was told to read', async () => {
    await assert.rejects(startSidecar({ ...free, configPaths: ['/nowhere/config.yaml'] }), {
      code: 'CONFIGURATION_FILE',
      file: '/nowhere/config.yaml',
    });
  });

  test('is not healthy before its application accepts connections', async (t) => {
    const port = await occupied(t);
    const closed = await startSidecar({
      ...free,
      appPort: await freePort(),
      names: sharedNames()(),
    });
    const open = await startSidecar({
      ...free,
      appPort: port,
      // It accepts connections, and says nothing.
      disableInitEndpoints: ['config'],
      names: sharedNames()(),
    });
    t.after(() => Promise.all([closed.stop({ force: true }), open.stop({ force: true })]));
    const status = async (at: number, rest = ''): Promise<number> =>
      (await fetch(`http://127.0.0.1:${at}/v1.0/healthz${rest}`)).status;

    await until('healthy', async () => (await status(open.ports.http)) === 204);
    assert.deepEqual(
      [await status(closed.ports.http), await status(closed.ports.http, '/outbound')],
      [500, 204],
    );
  });
});

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((one) => /TCP|UDP|FSEvent/.test(one)).length;
}

function rows(file: string): readonly unknown[] {
  const db = new DatabaseSync(file);
  const found = db.prepare('SELECT app_id FROM hosts').all();
  db.close();
  return found.map((row) => row.app_id);
}

async function occupied(t: { after(close: () => void): void }): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

/** Any answer of the sidecar shows that what was sent before has been read. */
async function circuitless(port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/v1.0/metadata`)).status;
}
