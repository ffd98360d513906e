import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

await bothMakes(conformance);

/** What Dapr's certification of bindings.cron asks. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, bindings.cron over restarts`, () => {
    let app: App;
    let sidecar: Flagged;
    const start = async () => {
      sidecar = await startFlagged(executable, {
        flags: { 'app-port': app.port },
        resources: {
          'tick.yaml': componentYaml('tick', 'bindings.cron', { schedule: '@every 300ms' }),
        },
      });
    };
    before(async () => {
      app = await startApp();
      await start();
    });
    after(async () => {
      await sidecar?.stop();
      await app?.stop();
    });

    test('it tells the application again and again', async () => {
      await app.told(3);
    });

    test('an application that was away is told when it is back, without being asked again', async () => {
      await app.stop();
      // Several moments that nobody hears.
      await sleep(1_000);
      const asked = app.asked();
      await app.start();
      await app.told(2);
      assert.equal(app.asked(), asked);
    });

    test('nothing is told while the sidecar is away, and it goes on when that is back', async () => {
      await sidecar.stop();
      const before = app.times();
      await sleep(1_000);
      assert.equal(app.times(), before);
      await start();
      await app.told(2);
    });
  });
}

interface App {
  readonly port: number;
  /** How often it was told, and asked whether it wants to be. */
  times(): number;
  asked(): number;
  /** Resolves when it has been told so often from now on. */
  told(times: number): Promise<unknown>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

async function startApp(): Promise<App> {
  let [told, asked] = [0, 0];
  const server = http.createServer((req, res) => {
    if (req.url === '/tick' && req.method === 'POST') told += 1;
    if (req.url === '/tick' && req.method === 'OPTIONS') asked += 1;
    res.writeHead(req.url === '/tick' ? 200 : 404).end();
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    times: () => told,
    asked: () => asked,
    async told(times) {
      const before = told;
      return await eventually(
        () => told,
        (now) => now >= before + times,
        `it is told ${times} times`,
      );
    },
    start: () => listen(port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
