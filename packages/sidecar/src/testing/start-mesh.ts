import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { SidecarOptions } from '../options.ts';
import { type Sidecar, startSidecar } from '../start-sidecar.ts';
import { sharedNames } from './shared-names.ts';

/** Sidecars `caller` and `callee` with one application behind both; ends with the test. */
export interface TestMesh {
  readonly caller: Sidecar;
  readonly callee: Sidecar;
  readonly appPort: number;
  /** `http://…/v1.0/invoke/callee/method` at the caller. */
  readonly url: string;
  /** What the caller has logged so far. */
  readonly log: readonly string[];
  /** Writes a file among the caller's resources. */
  write(name: string, text: string): Promise<void>;
}

export async function startMesh(
  t: TestContext,
  app: RequestListener,
  options: {
    readonly caller?: Partial<SidecarOptions>;
    readonly callee?: Partial<SidecarOptions>;
    /** A Resiliency document for the caller. */
    readonly resiliency?: string;
  } = {},
): Promise<TestMesh> {
  const appPort = await startApp(t, app);
  const resources = await temporaryFolder(t);
  if (options.resiliency !== undefined) {
    await writeFile(path.join(resources, 'resiliency.yaml'), options.resiliency);
  }
  const names = sharedNames();
  const lines: string[] = [];
  // What reaches the application is the test's own.
  const disableInitEndpoints = ['config'] as const;
  const shared = { appPort, httpPort: 0, metricsPort: 0, disableInitEndpoints };
  const note = (message: string): void => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const callee = await startSidecar({
    ...shared,
    appId: 'callee',
    names: names(),
    ...options.callee,
  });
  const caller = await startSidecar(
    { ...shared, appId: 'caller', names: names(), resourcesPaths: [resources], ...options.caller },
    { log },
  );
  t.after(() => Promise.all([caller.stop({ force: true }), callee.stop({ force: true })]));
  return {
    caller,
    callee,
    appPort,
    url: `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/callee/method`,
    log: lines,
    write: (name, text) => writeFile(path.join(resources, name), text),
  };
}

/** A server on a free port; ends with the test. */
export async function startApp(t: TestContext, app: RequestListener): Promise<number> {
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-sidecar-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
