import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@holdfast/core/testing';
import {
  freePort,
  type RedisServer,
  redisServer,
  Unavailable,
  until,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';

const BIN = fileURLToPath(new URL('../../packages/cli/bin/holdfastd.mjs', import.meta.url));
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_KILLS ?? 6);
const CLIENTS = 16;
const TOPICS = ['orders', 'invoices'];

const redis = await redisServer();
if (redis instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(redis.why);
  test('an outbox before a real Redis', { skip: redis.why }, () => {});
} else {
  const title = `${KILLS} SIGKILLs of holdfastd under load, Redis down meanwhile: every accepted event arrives`;
  test(title, { timeout: 300_000 }, (t) => hold(t, redis));
}

/** What the clients were told is taken, and what is in Redis when all is over. */
async function hold(t: TestContext, redis: RedisServer): Promise<void> {
  t.after(() => redis.process.remove());
  const daemon = await holdfastd(t, redis.port);
  const accepted = new Set<string>();
  const chance = seededRandom(SEED);
  let publishing = true;
  let sent = 0;
  const client = async () => {
    while (publishing) {
      const topic = TOPICS[sent % TOPICS.length]!;
      const id = `${topic}-${++sent}`;
      const taken = await daemon.publish(topic, id).catch(() => false);
      if (taken) accepted.add(id);
      else await sleep(20);
    }
  };

  await daemon.start();
  const clients = Array.from({ length: CLIENTS }, client);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = accepted.size;
    // In every other round Redis is away, also while the sidecar starts anew.
    if (kill % 2 === 1) await redis.process.kill();
    await grown(accepted, before + 200 + Math.floor(chance.next() * 200));
    await daemon.kill();
    await daemon.start();
    await grown(accepted, accepted.size + 100);
    if (kill % 2 === 1) await redis.process.restart();
  }
  publishing = false;
  await Promise.all(clients);
  await daemon.emptied();
  await daemon.end();

  const delivered = await idsIn(redis.port);
  const unique = new Set(delivered);
  const lost = [...accepted].filter((id) => !unique.has(id));
  t.diagnostic(
    `seed ${SEED}: ${sent} sent, ${accepted.size} accepted, ${delivered.length} delivered, ${unique.size} of them different`,
  );
  assert.deepEqual(lost, []);
  assert.ok(accepted.size >= KILLS * 300, `${accepted.size}`);
}

async function grown(accepted: ReadonlySet<string>, size: number): Promise<void> {
  await until(`${size} events are accepted`, () => accepted.size >= size);
}

/** The ids of the events in the streams, as often as they are there. */
async function idsIn(port: number): Promise<readonly string[]> {
  const client = new Redis(port, '127.0.0.1');
  const ids: string[] = [];
  for (const topic of TOPICS) {
    for (const [, fields] of await client.xrange(topic, '-', '+')) {
      const { data } = JSON.parse(fields[fields.indexOf('data') + 1]!) as { data: { id: string } };
      ids.push(data.id);
    }
  }
  client.disconnect();
  return ids;
}

/** A sidecar as a process, always on the same ports and files. */
async function holdfastd(t: TestContext, redisPort: number) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-outbox-drill-'));
  const resources = join(folder, 'resources');
  const [http, metrics] = [await freePort(), await freePort()];
  await mkdir(resources);
  await writeFile(
    join(resources, 'broker.yaml'),
    `{ apiVersion: dapr.io/v1alpha1, kind: Component, metadata: { name: broker }, spec: { type: pubsub.redis, version: v1,
       metadata: [{ name: redisHost, value: "127.0.0.1:${redisPort}" }, { name: outbox, value: "true" }] } }`,
  );
  const args = ['--app-id', 'shop', '--dapr-http-port', String(http)];
  args.push('--metrics-port', String(metrics), '--resources-path', resources);
  args.push('--state-dir', join(folder, 'state'));
  let child: ChildProcess | undefined;
  let output = '';
  const up = () =>
    fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`).then(
      ({ ok }) => ok,
      () => false,
    );
  t.after(async () => {
    child?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const ended = async (signal: NodeJS.Signals) => {
    const exited = once(child!, 'exit');
    child!.kill(signal);
    await exited;
  };
  return {
    async start() {
      child = spawn(process.execPath, ['--conditions=source', BIN, ...args]);
      const keep = (chunk: Buffer) => {
        output = (output + chunk).slice(-5_000);
      };
      child.stdout?.on('data', keep);
      child.stderr?.on('data', keep);
      await until(() => `holdfastd is up; it said ${output}`, up);
    },
    kill: () => ended('SIGKILL'),
    end: () => ended('SIGTERM'),
    async publish(topic: string, id: string): Promise<boolean> {
      const answer = await fetch(`http://127.0.0.1:${http}/v1.0/publish/broker/${topic}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id }),
      });
      await answer.arrayBuffer();
      return answer.status === 204;
    },
    async emptied() {
      await until(
        () => `the outbox is empty; holdfastd said ${output}`,
        async () => {
          const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
          return /^holdfast_outbox_queued\{component="broker"\} 0$/m.test(page);
        },
      );
    },
  };
}
