import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, redisServer, until, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { circuitBreaker } from '../breaker/breaker.ts';
import type { CircuitSnapshot } from '../breaker/snapshot/snapshot.ts';
import { pipeline } from '../pipeline.ts';
import { createRegistry } from '../registry.ts';
import { timeout } from '../timeout/timeout.ts';
import { redisCircuitStore } from './redis-circuit-store.ts';

/** What a node says of itself, ten times a second. */
interface Says {
  readonly circuit: CircuitSnapshot;
  /** Calls that have ended, be it refused. */
  readonly calls: number;
  /** Errors that are neither the dependency's nor the circuit's own. */
  readonly strange: readonly string[];
  readonly storeFailures: number;
}

// This file is also the node: the test forks it.
const [role, redisUrl, dependencyUrl, node] = process.argv.slice(2);
if (role === 'node') await runNode(redisUrl!, dependencyUrl!, node!);
else test('five processes agree by a real Redis that is paused, killed and started again', theTest);

async function theTest(t: TestContext): Promise<void> {
  const redis = await withServer(t, redisServer);
  if (redis === undefined) return;
  const dependency = await startDependency(t);
  const nobody = `http://127.0.0.1:${await freePort()}/`;
  // Node 0 has a network of its own in which the dependency cannot be reached.
  const nodes = [nobody, ...Array<string>(4).fill(dependency.url)].map(
    (url, n) => new Node(t, redis.url, url, `node-${n}`),
  );
  const [broken, ...healthy] = nodes as [Node, ...Node[]];

  await until('all five know of each other', () =>
    nodes.every(({ says }) => says?.circuit.shared?.nodes === 5),
  );
  await until('the broken node has opened its own circuit twice', () => broken.opened >= 2);
  assert.deepEqual(
    healthy.map(({ opened }) => opened),
    [0, 0, 0, 0],
    'it opened nobody’s but its own',
  );

  dependency.answers(503);
  await until('the dependency is down: all are open', () =>
    nodes.every(({ says }) => says?.circuit.shared?.state === 'open'),
  );
  await until('none is closed', () => nodes.every(({ state }) => state !== 'closed'));
  dependency.answers(200);
  await until('it is up: the healthy ones are closed', () =>
    healthy.every(
      ({ state, says }) => state === 'closed' && says?.circuit.shared?.state === 'closed',
    ),
  );
  assert.notEqual(broken.state, 'closed');

  redis.process.signal('SIGSTOP');
  await until('all have noticed that Redis is silent', () =>
    nodes.every(({ says }) => says?.circuit.shared === undefined),
  );
  await callsGoOn('Redis is paused', nodes);
  dependency.answers(503);
  await until('each opens by itself', () => healthy.every(({ state }) => state === 'open'));
  dependency.answers(200);
  await until('each closes by itself', () => healthy.every(({ state }) => state === 'closed'));
  redis.process.signal('SIGCONT');
  await until('they agree again', () =>
    nodes.every(({ says }) => says?.circuit.shared?.nodes === 5),
  );

  await redis.process.kill();
  const before = nodes.map(({ says }) => says!.storeFailures);
  await until('all have noticed that Redis is gone', () =>
    nodes.every(({ says }, n) => says!.storeFailures > before[n]!),
  );
  await callsGoOn('Redis is gone', nodes);
  await redis.process.restart();
  await until('they agree again', () =>
    nodes.every(({ says }) => says?.circuit.shared?.nodes === 5),
  );
  await until('and the healthy ones are closed', () =>
    healthy.every(({ state }) => state === 'closed'),
  );
  assert.deepEqual(
    nodes.flatMap(({ says }) => says!.strange),
    [],
    'no call failed for the store',
  );
}

async function callsGoOn(why: string, nodes: readonly Node[]): Promise<void> {
  const before = nodes.map(({ says }) => says!.calls);
  await until(`calls go on while ${why}`, () =>
    nodes.every(({ says }, n) => says!.calls >= before[n]! + 50),
  );
}

class Node {
  says: Says | undefined = undefined;
  readonly #process: ChildProcess;

  constructor(t: TestContext, ...args: string[]) {
    const execArgv = ['--conditions=source'];
    this.#process = fork(fileURLToPath(import.meta.url), ['node', ...args], { execArgv });
    this.#process.on('message', (says) => {
      this.says = says as Says;
    });
    t.after(async () => {
      const ended = once(this.#process, 'exit');
      if (this.#process.kill('SIGKILL')) await ended;
    });
  }

  get state() {
    return this.says?.circuit.state;
  }

  get opened() {
    return this.says?.circuit.opened ?? 0;
  }
}

async function startDependency(t: TestContext) {
  let status = 200;
  const server: Server = createServer((_, response) => {
    response.statusCode = status;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answers: (other: number) => {
      status = other;
    },
  };
}

/** One process that calls the dependency again and again behind a shared circuit. */
async function runNode(redisUrl: string, url: string, node: string): Promise<never> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  client.on('error', () => {
    // What matters of it comes as `store-failed`.
  });
  const strange: string[] = [];
  let storeFailures = 0;
  let calls = 0;
  const shared = {
    store: redisCircuitStore(client),
    node,
    intervalMs: 100,
    leaseMs: 3_000,
    storeTimeoutMs: 400,
  };
  const breaker = circuitBreaker({ consecutiveFailures: 3, openMs: 300, shared });
  const p = pipeline('dependency', [breaker, timeout({ limitMs: 5_000 })], {
    registry: createRegistry(),
    report: ({ type }) => {
      if (type === 'store-failed') storeFailures += 1;
    },
  });
  setInterval(() => {
    process.send?.({ circuit: p.inspect().policies[0]!.circuit!, calls, strange, storeFailures });
  }, 100);
  for (;;) {
    await p
      .execute(() => callOnce(url))
      .catch((error) => {
        const isOurs = error.message === 'status 503' || error.message === 'fetch failed';
        if (!isOurs && !String(error.code).startsWith('CIRCUIT')) strange.push(String(error));
      });
    calls += 1;
    await sleep(10);
  }
}

async function callOnce(url: string): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
}
