import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@holdfast/test-servers';
import { answering, type Child, startChild } from './child.ts';

/** Two sidecars in a row: clients ask the first, the second has the application. */
export interface Pair {
  readonly name: string;
  readonly version: string;
  /** Of a method, through both sidecars to the application. */
  readonly url: string;
  /** Where the first has its gRPC API. */
  readonly grpcPort: number;
  readonly first: Child;
  readonly second: Child;
}

/**
 * Both sides read this file, byte for byte. The breaker trips late because a load
 * generator that ends drops its requests in flight, and daprd counts a dropped
 * request as a failure of the application: with 128 of them any usual breaker opens.
 */
const POLICIES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: bench }
spec:
  policies:
    timeouts: { general: 5s }
    retries: { thrice: { policy: constant, duration: 100ms, maxRetries: 3 } }
    circuitBreakers: { simple: { maxRequests: 1, timeout: 5s, trip: consecutiveFailures > 1000 } }
  targets:
    apps:
      app-b: { timeout: general, retry: thrice, circuitBreaker: simple }
`;

/** Tracing at 1 %, no exporter; names through a shared SQLite file, one per pair. */
const configuration = (namesFile: string) => `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: bench }
spec:
  tracing: { samplingRate: "0.01" }
  nameResolution:
    component: sqlite
    version: v1
    configuration: { connectionString: "${namesFile}" }
`;

async function writeFiles(folder: string, name: string, policies: string, components: string) {
  const resources = join(folder, name, 'resources');
  const config = join(folder, name, 'config.yaml');
  await mkdir(resources, { recursive: true });
  await writeFile(join(resources, 'resiliency.yaml'), policies);
  await writeFile(join(resources, 'components.yaml'), components);
  await writeFile(config, configuration(join(folder, name, 'names.db')));
  return { resources, config };
}

/** What a pair stands in front of. */
export interface Behind {
  readonly folder: string;
  readonly appPort: number;
  /** @default 'http' */
  readonly appProtocol?: 'http' | 'grpc';
  /** The `resiliency.yaml` of both. @default those of the bench */
  readonly policies?: string;
  /** The components of both, as YAML. @default none */
  readonly components?: string;
}

export async function startDaprdPair(daprd: string, behind: Behind): Promise<Pair> {
  const { stdout } = await promisify(execFile)(daprd, ['--version']);
  return startPair('daprd', stdout.trim(), { first: [daprd], second: [daprd] }, behind);
}

/** Our sidecar as people start it: the bundled `holdfastd` with its own launcher. */
export async function startHoldfastPair(behind: Behind): Promise<Pair> {
  const ours = await bundled();
  return startPair('holdfast', OURS, { first: ours, second: ours }, behind);
}

/** Two processes of Node that pass bytes on: the most that two sidecars of Node could reach here. */
export async function startBarePair({ appPort }: Behind): Promise<Pair> {
  const relay = async (name: string, target: number) => {
    const program = join(import.meta.dirname, 'relay-process.ts');
    const { child, firstLine } = startChild(name, [process.execPath, program, String(target)]);
    return { child, ...(JSON.parse(await firstLine) as { readonly port: number }) };
  };
  const second = await relay('second relay', appPort);
  const first = await relay('first relay', second.port);
  const url = `http://127.0.0.1:${first.port}/order`;
  const version = `two relays of bytes on node ${process.version}`;
  return { name: 'bare', version, url, grpcPort: 0, first: first.child, second: second.child };
}

/** One of each make, as in a mesh that changes over; `first` is whose caller it is. */
export async function startMixedPair(
  first: 'holdfast' | 'daprd',
  daprd: string,
  behind: Behind,
): Promise<Pair> {
  const ours = await bundled();
  const [name, commands] =
    first === 'holdfast'
      ? ['to daprd', { first: ours, second: [daprd] as const }]
      : ['of daprd', { first: [daprd] as const, second: ours }];
  return startPair(name, `${OURS} ${name}`, commands, behind);
}

const OURS = `holdfastd on node ${process.version}`;

type Command = readonly [string, ...string[]];

async function bundled(): Promise<Command> {
  const root = join(import.meta.dirname, '../..');
  await promisify(execFile)(process.execPath, [join(root, 'scripts/bundle.mjs')]);
  return [process.execPath, join(root, 'packages/cli/bin/holdfastd.mjs')];
}

/** Both makes take the same flags: whatever one is started with, so is the other. */
async function startPair(
  name: string,
  version: string,
  commands: { readonly first: Command; readonly second: Command },
  { appPort, appProtocol = 'http', components = '', folder, policies = POLICIES }: Behind,
): Promise<Pair> {
  const { resources, config } = await writeFiles(folder, name, policies, components);
  const start = async (command: Command, appId: string, appPort?: number) => {
    const [httpPort, grpcPort] = [await freePort(), await freePort()];
    const { child } = startChild(`${name} ${appId}`, [
      ...command,
      ...['--app-id', appId, '--resources-path', resources, '--config', config],
      ...(appPort === undefined
        ? []
        : ['--app-port', String(appPort), '--app-protocol', appProtocol]),
      ...['--dapr-http-port', String(httpPort), '--dapr-grpc-port', String(grpcPort)],
      ...['--dapr-internal-grpc-port', String(await freePort())],
      ...['--metrics-port', String(await freePort()), '--metrics-listen-address', '127.0.0.1'],
      ...['--dapr-listen-addresses', '127.0.0.1', '--log-level', 'error'],
    ]);
    await answering(`http://127.0.0.1:${httpPort}/v1.0/healthz`);
    return { child, httpPort, grpcPort };
  };
  const second = await start(commands.second, 'app-b', appPort);
  const first = await start(commands.first, 'app-a');
  const url = `http://127.0.0.1:${first.httpPort}/v1.0/invoke/app-b/method/order`;
  if (appProtocol === 'http') await answering(url);
  const { grpcPort } = first;
  return { name, version, url, grpcPort, first: first.child, second: second.child };
}
