import { readFileSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Call, pipeline, retry, timeout } from '@holdfast/core';
import { freePorts, type Run, readRunFile, type StartRunOptions, startRun } from 'holdfast';
import { removeHome } from '../postgres/home.ts';
import { type BrokerChoice, platformRun, portsOf, STATE } from './platform-run.ts';

/** The example's folder. */
export const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface StartOptions {
  /** Where the gateway listens; 0 gives every process a free port. @default 8000 */
  readonly port?: number;
  readonly broker?: BrokerChoice;
  /** Forgets what earlier starts have kept. @default false */
  readonly fresh?: boolean;
  /** Where state is kept. @default `.holdfast/sensor-platform` in the example's folder */
  readonly state?: string;
  /** The Node.js to run the services with. */
  readonly node: string;
  /** The environment of all its processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run?: Omit<StartRunOptions, 'env'>;
}

/** The platform in operation. */
export interface Platform {
  readonly run: Run;
  /** `http://localhost:8000` */
  readonly url: string;
  /** The folder with everything that is kept. */
  readonly state: string;
  /** A connection string with its password, for those who want to look into a database. */
  databaseUrl(name: string): string;
}

/** What runs from this folder keep in it. */
const OWN = join(HOME, '.holdfast');

/** What `holdfast ps --run` calls it; with the gateway's port behind it where that is not the usual one. */
export const NAME = 'sensor-platform';

const GATEWAY_PORT = 8_000;
const DATABASES = ['sensor-postgres', 'auth-postgres'];

/** Starts every process of dapr.yaml; resolves when all of them are healthy. */
export async function startPlatform(options: StartOptions): Promise<Platform> {
  const { port = GATEWAY_PORT, state = join(HOME, STATE), broker, node } = options;
  if (options.fresh === true) await forget(state);
  await mkdir(state, { recursive: true });
  // Root's databases run as another user, who must be able to pass through here.
  if (state.startsWith(OWN)) await chmod(OWN, 0o711);

  const file = await readRunFile(join(HOME, 'dapr.yaml'));
  const old = portsOf(file);
  const free = port === 0 ? await freePorts(old.length) : [];
  const ports = Object.fromEntries([[GATEWAY_PORT, port], ...free.map((to, i) => [old[i], to])]);
  const configuration = await privateNames(state);
  const gateway = ports[GATEWAY_PORT];
  const changed = platformRun(file, {
    ...{ home: HOME, state, ports, node, configuration },
    ...(broker && { broker }),
  });
  // Commands name the run they mean; several at once must differ.
  const run = await startRun(
    { ...changed, name: gateway === GATEWAY_PORT ? NAME : `${NAME}-${gateway}` },
    {
      ...options.run,
      // Thirteen processes read much the same code; compiled once, they start in half the time.
      env: { ...options.env, NODE_COMPILE_CACHE: join(OWN, 'compiled') },
    },
  );

  const url = `http://localhost:${gateway}`;
  await untilHealthy(url, options.run?.signal);
  return {
    run,
    url,
    state,
    databaseUrl(name) {
      const sql = run.ps().find((process) => process.name === name)?.ports.sql;
      if (sql === undefined) {
        throw new RangeError(`There is no database "${name}"; there are ${DATABASES.join(', ')}.`);
      }
      const password = readFileSync(join(state, name, 'pgpass'), 'utf8')
        .trim()
        .split(':')[4];
      return `postgres://postgres:${password}@127.0.0.1:${sql}/postgres`;
    },
  };
}

/**
 * Tables, keys and subscriptions are made in the background, a moment after
 * everything listens. If a service remains unwell, `/health` says which.
 */
async function untilHealthy(url: string, signal: AbortSignal | undefined): Promise<void> {
  using asking = pipeline('start', [
    retry({ maxRetries: 200, backoff: 'constant', delayMs: 50, jitter: 'none' }),
    timeout({ limitMs: 5_000 }),
  ]);
  const ask = async ({ signal }: Call) => {
    const { status } = (await (await fetch(`${url}/health`, { signal })).json()) as Health;
    if (status !== 'healthy') throw new Error(`The platform is ${status}.`);
  };
  await asking.execute(ask, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    return error; // it runs all the same
  });
}

type Health = { readonly status: string };

async function forget(state: string): Promise<void> {
  for (const name of DATABASES) await removeHome(join(state, name));
  await rm(state, { recursive: true, force: true });
}

/**
 * All sidecars of a user find one another through one file. Two platforms at
 * once would then find each other's services; so this one has a file of its own.
 */
async function privateNames(state: string): Promise<string> {
  const names = join(state, 'names.db');
  for (const suffix of ['', '-wal', '-shm']) await rm(`${names}${suffix}`, { force: true });
  const file = join(state, 'configuration.yaml');
  await writeFile(
    file,
    `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: sensor-platform
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${JSON.stringify(names)}
`,
  );
  return file;
}
