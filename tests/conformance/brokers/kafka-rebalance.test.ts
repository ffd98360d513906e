import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { findDaprd } from '../makes/daprd.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startOne } from '../makes/one-sidecar.ts';
import { withKafka } from '../makes/with-kafka.ts';
import { event } from './event-app.ts';

await withKafka('pubsub.kafka, groups that are shared out anew', async (address) => {
  const daprd = await findDaprd();
  if (daprd !== undefined) {
    sharing('roundrobin', address, [daprd, undefined]);
    sharing('sticky', address, [daprd, undefined]);
    sharing('sticky', address, [undefined, daprd]);
  }
  await bothMakes((make, executable) => {
    comingAndGoing(make, executable, address);
    growing(make, executable, address);
  });
});

/** The first to come decides for the others who reads what. */
function sharing(
  strategy: string,
  address: string,
  makes: readonly [string | undefined, string | undefined],
): void {
  const names = makes.map((one) => (one === undefined ? 'holdfast' : 'daprd'));
  test(`${names.join(' and ')} share a group that is ${strategy}`, async (t) => {
    const topic = `shared-${strategy}-${names[0]}`;
    const got: { readonly by: string; readonly n: number }[] = [];
    for (const [at, executable] of makes.entries()) {
      await member(t, executable, {
        ...{ address, topic, strategy },
        handle: (n) => {
          got.push({ by: names[at]!, n });
          return 200;
        },
      });
    }
    const send = await sender(t, address, topic);
    const by = () => new Set(got.map((one) => one.by));
    // Events that come while the group is being shared out may come twice.
    for (let n = -300; n < 0 && by().size < 2; n += 1) {
      await send(300 + n, 300 + n);
      await sleep(100);
    }
    await sleep(1_000);
    got.length = 0;
    const numbers = Array.from({ length: 30 }, (_, n) => 1_000 + n);
    for (const n of numbers) await send(n, n);
    await until('all have come', () => got.length >= numbers.length);
    await sleep(500);
    assert.deepEqual(
      got.map(({ n }) => n).toSorted((a, b) => a - b),
      numbers,
    );
    assert.deepEqual(by(), new Set(names));
  });
}

function comingAndGoing(make: Make, executable: string | undefined, address: string): void {
  test(`${make}: whatever members come and go, each partition keeps its order, and what the application fails over is a dead letter`, async (t) => {
    const topic = `moving-${make}`;
    const first: number[] = [];
    const dead = new Set<number>();
    const seen = new Set<number>();
    const options = {
      ...{ address, topic, deadLetterTopic: `dead-${make}` },
      handle(n: number) {
        if (!seen.has(n)) first.push(n);
        seen.add(n);
        return isPoison(n) ? 500 : 200;
      },
      bury: (n: number) => void dead.add(n),
    };
    await member(t, executable, options);
    const send = await sender(t, address, topic);
    let second: (() => Promise<void>) | undefined;
    const all = Array.from({ length: 150 }, (_, n) => n);
    for (const n of all) {
      await send(n, n);
      await sleep(20);
      if (n === 50) second = await member(t, executable, options);
      // Without a word: what it had in hand is another's when its session has ended.
      if (n === 100) await second?.();
    }
    await until('all have come', () => seen.size === all.length);
    const poisoned = all.filter(isPoison);
    await until('the dead letters have come', () => dead.size === poisoned.length);
    assert.deepEqual(
      [...dead].toSorted((a, b) => a - b),
      poisoned,
    );
    for (const partition of [0, 1, 2]) {
      const here = first.filter((n) => n % 3 === partition);
      assert.deepEqual(
        here,
        here.toSorted((a, b) => a - b),
      );
    }
  });
}

function growing(make: Make, executable: string | undefined, address: string): void {
  test(`${make}: partitions that a topic is given later are read from their beginning`, async (t) => {
    const topic = `growing-${make}`;
    const admin = new kafka.Admin({ clientId: 'a', bootstrapBrokers: [address] });
    t.after(() => admin.close());
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    const got: number[] = [];
    await member(t, executable, {
      ...{ address, topic },
      handle: (n) => {
        got.push(n);
        return 200;
      },
    });
    const before = await sender(t, address, topic);
    await before(0, 0);
    await until('the first has come', () => got.length === 1);
    await admin.createPartitions({ topics: [{ name: topic, count: 3 }] });
    const send = await sender(t, address, topic);
    for (const n of [1, 2, 3]) await send(n, n);
    await until('all have come', () => new Set(got).size >= 4);
    assert.deepEqual(
      [...new Set(got)].toSorted((a, b) => a - b),
      [0, 1, 2, 3],
    );
  });
}

const isPoison = (n: number): boolean => n % 10 === 7;

interface MemberOptions {
  readonly address: string;
  readonly topic: string;
  readonly strategy?: string;
  readonly deadLetterTopic?: string;
  /** The status with which the application answers. */
  readonly handle: (n: number) => number;
  readonly bury?: (n: number) => void;
}

/** A sidecar with an application; resolves with how to end it. */
async function member(
  t: TestContext,
  executable: string | undefined,
  { address, bury, deadLetterTopic, handle, strategy = 'range', topic }: MemberOptions,
): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-member-'));
  await writeFile(path.join(folder, 'broker.yaml'), component(address, topic, strategy));
  const app = await startEchoApp(({ body, url }) => {
    if (url === '/dapr/subscribe') {
      const wanted = [
        { pubsubname: 'broker', topic, route: '/on', ...(deadLetterTopic && { deadLetterTopic }) },
        ...(deadLetterTopic === undefined
          ? []
          : [{ pubsubname: 'broker', topic: deadLetterTopic, route: '/dead' }]),
      ];
      return { status: 200, body: JSON.stringify(wanted) };
    }
    if (url === '/dead') bury?.(JSON.parse(body).data);
    if (url !== '/on') return url === '/dead' ? { status: 200, body: '' } : undefined;
    return { status: handle(JSON.parse(body).data), body: '' };
  });
  const start = { role: 'member', appPort: app.port, resources: folder, configs: [] };
  const sidecar = await startOne(executable, { ...start, secured: false });
  let ended: Promise<void> | undefined;
  const end = () => {
    ended ??= sidecar.stop().then(async () => {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });
    return ended;
  };
  t.after(end);
  return end;
}

/** Sends a number into one of three partitions. */
async function sender(t: TestContext, address: string, topic: string) {
  const producer = new kafka.Producer({ clientId: 'p', bootstrapBrokers: [address] });
  t.after(() => producer.close(true));
  return async (partition: number, n: number) => {
    const value = Buffer.from(event('x').replace('"data":"x"', `"data":${n}`));
    const record = { topic, partition: partition % 3, value };
    await producer.send({ messages: [record as kafka.MessageToProduce] });
  };
}

function component(address: string, group: string, strategy: string): string {
  return componentYaml('broker', 'pubsub.kafka', {
    brokers: address,
    authType: 'none',
    consumerGroup: group,
    initialOffset: 'oldest',
    sessionTimeout: '6s',
    heartbeatInterval: '1s',
    backOffDuration: '200ms',
    clientConnectionTopicMetadataRefreshInterval: '2s',
    consumerGroupRebalanceStrategy: strategy,
  });
}
