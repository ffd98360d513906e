import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Clock, pipeline, retry } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../../components/component-settings.ts';
import { memoryPubSub } from '../brokers/memory-pubsub.ts';
import { MessageRefusedError, type PubSub } from '../pubsub.ts';
import { type OutboxPubSubEnv, outboxPubSub } from './outbox-pubsub.ts';
import { outboxSettings } from './outbox-settings.ts';

describe('a broker behind an outbox', () => {
  test('takes events while the broker is down, and hands them over in order when it is back', async (t) => {
    const { broker, clock, lines, open } = await bench(t);
    await clock.run(async () => {
      const { publish, stats } = await open();
      broker.becomes('down');
      for (let n = 0; n < 250; n += 1) await publish(`${n}`);
      await clock.sleep(60_000);
      const waiting = await stats();
      broker.becomes('up');
      await clock.sleep(10_000);
      assert.deepEqual([waiting.queued, waiting.oldestMs >= 60_000], [250, true]);
      assert.deepEqual(broker.texts(), range(250));
      assert.equal((await stats()).queued, 0);
    });
    const said = lines.filter((line) => /wait in|takes events again/.test(line));
    assert.match(
      said.join(''),
      /^.*Events of p wait in .*p\.db.*down".*\n.*takes events again.*\n$/,
    );
  });

  test('what waits when it ends by force is handed over by who comes after', async (t) => {
    const { broker, clock, lines, open } = await bench(t);
    await clock.run(async () => {
      const first = await open();
      broker.becomes('down');
      await first.publishAll(['1', '2']);
      await clock.sleep(300);
      await first.close();
      broker.becomes('up');
      const second = await open();
      await clock.sleep(10_000);
      assert.equal((await second.stats()).queued, 0);
    });
    assert.deepEqual(broker.texts(), ['1', '2']);
    assert.match(lines.join(''), /2 events of p wait in .* from before/);
  });

  test('a topic that the broker fails over holds up no other', async (t) => {
    const { broker, clock, open } = await bench(t);
    await clock.run(async () => {
      const { durable } = await open();
      broker.chokesOn('bad');
      const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });
      for (const text of ['bad', 'behind']) await durable.publish('broken', message(text));
      for (const text of range(50)) await durable.publish('t', message(text));
      await clock.sleep(20_000);
    });
    assert.deepEqual(
      broker.texts().filter((text) => text !== 'behind'),
      range(50),
    );
  });

  test('an event sent twice has the same id', async (t) => {
    const { broker, clock, open } = await bench(t);
    await clock.run(async () => {
      const { publish } = await open();
      broker.becomes('deaf');
      await publish('1');
      await clock.sleep(20_000);
      broker.becomes('up');
      await clock.sleep(20_000);
    });
    assert.ok(broker.texts().length > 1);
    assert.equal(new Set(broker.ids()).size, 1);
  });

  test('refuses more than its limits, naming them, and takes more when there is room', async (t) => {
    const { broker, clock, lines, open } = await bench(t, { outboxMaxMessages: '2' });
    await clock.run(async () => {
      const { publish } = await open();
      broker.becomes('down');
      await publish('1');
      await publish('2');
      await assert.rejects(publish('3'), {
        code: 'OUTBOX_FULL',
        message: /2 messages and \d+ bytes wait, of at most 2 and /,
      });
      // Clients hear of each, the log of one a minute.
      await assert.rejects(publish('3'));
      broker.becomes('up');
      await clock.sleep(10_000);
      await publish('3');
      await clock.sleep(10_000);
    });
    assert.deepEqual(broker.texts(), ['1', '2', '3']);
    const said = lines.filter((line) => /Events of p are refused: The outbox is full/.test(line));
    assert.equal(said.length, 1);
    assert.equal(lines.filter((line) => /Events of p are taken again/.test(line)).length, 1);
  });

  test('what the broker will never take is set aside and said; the others go through', async (t) => {
    const { broker, clock, lines, open } = await bench(t);
    await clock.run(async () => {
      const { publishAll, stats } = await open();
      broker.refuses('bad');
      await publishAll(['1', 'bad', '2']);
      await clock.sleep(10_000);
      const { dead, queued } = await stats();
      assert.deepEqual([dead, queued], [1, 0]);
    });
    assert.deepEqual(broker.texts(), ['1', '2']);
    assert.match(lines.join(''), /is a dead letter in .*: too large/);
  });

  test("the component's policies stand around the hand-over", async (t) => {
    const { broker, clock, open } = await bench(t);
    const quick = [retry({ maxRetries: 3, delayMs: 1, jitter: 'none' })];
    const policies = pipeline('mine', quick, { clock, registry: undefined });
    await clock.run(async () => {
      const { publish } = await open({ outbound: () => policies });
      broker.failsNext(3);
      await publish('1');
      await clock.sleep(50);
      assert.deepEqual([broker.texts(), broker.attempts()], [['1'], 4]);
    });
  });

  test('draining hands over what waits; what a broker that is down does not take is kept', async (t) => {
    const { broker, clock, open } = await bench(t);
    await clock.run(async () => {
      const first = await open();
      await first.publishAll(range(300));
      await first.drain();
      const handed = broker.texts().length;
      await first.close();

      const second = await open();
      broker.becomes('down');
      await second.publish('kept');
      await second.drain();
      await second.close();
      await assert.rejects(second.publish('late'), { code: 'OUTBOX_CLOSED' });

      broker.becomes('up');
      await open();
      await clock.sleep(10_000);
      assert.deepEqual([handed, broker.texts().at(-1)], [300, 'kept']);
    });
  });

  test('what is of a topic on pause waits, across a drain that does not wait for it', async (t) => {
    const { broker, clock, folder, open } = await bench(t);
    const store = sqliteStore({ path: join(folder, 'p.db') });
    t.after(() => store.close());
    await clock.run(async () => {
      const first = await open();
      await store.pause('t');
      await first.publish('paused');
      await first.durable.publish('other', { data: Buffer.from('goes'), metadata: {} });
      await clock.sleep(1_000);
      const begunMs = clock.now();
      await first.drain();
      const drainedMs = clock.now() - begunMs;
      await first.close();
      const handed = broker.texts();

      await open();
      await store.resume('t');
      await clock.sleep(10_000);
      assert.deepEqual([handed, broker.texts()], [['goes'], ['goes', 'paused']]);
      assert.ok(drainedMs < 1_000, `${drainedMs} ms`);
    });
  });

  test('a broker that forgets gets nothing before the application has subscribed', async (t) => {
    const { clock, open } = await bench(t);
    const texts: string[] = [];
    const { durable, publish } = await open({ broker: memoryPubSub(() => {}) });
    await publish('early');
    await clock.run(async () => {
      await clock.sleep(5_000);
      await durable.subscribe('t', async ({ data }) => void texts.push(String(data)));
      durable.subscribed?.();
      await clock.sleep(5_000);
    });
    assert.deepEqual(texts, ['early']);
  });
});

test('metadata of an outbox that cannot be is refused by name, value and rule', () => {
  const read = (more: Readonly<Record<string, string>>) => {
    try {
      return outboxSettings(new ComponentSettings('p', Object.entries(more)), {
        appId: 'a',
        namespace: 'n',
        stateDir: '/state',
      });
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.deepEqual(
    [
      read({}),
      read({ outbox: 'false', outboxMaxBytes: 'x' }),
      read({ outbox: 'yes' }),
      read({ outbox: 'maybe' }),
      read({ outbox: 'true', outboxMaxBytes: '0' }),
      read({ outbox: 'true', outboxMaxMessages: 'many' }),
      read({ outbox: 'true', outboxKey: 'secret' }),
      read({ outbox: 'true', outboxOldKeys: KEY }),
      read({ outbox: 'true', outboxKey: `${KEY},${KEY}` }),
    ],
    [
      undefined,
      undefined,
      {
        component: 'p',
        path: '/state/outbox.n.a.p.db',
        maxBytes: 1_073_741_824,
        maxMessages: 1_000_000,
      },
      'component p: metadata outbox must be "true" or "false", not "maybe"',
      'component p: metadata outboxMaxBytes must be from 1 to 1099511627776, not 0',
      'component p: metadata outboxMaxMessages must be a whole number, not "many"',
      'component p: metadata outboxKey, line 1, must be a key of 32 bytes in Base64, or an id, a space and such a key. `openssl rand -base64 32` makes one.',
      'component p: metadata outboxOldKeys needs outboxKey, the key to encrypt with',
      'component p: metadata outboxKey must be one key; those of before are outboxOldKeys',
    ],
  );
});

test('with outboxKey the file holds no word of an event; a new key, beside the old one, hands over what waits', async (t) => {
  const OTHER = Buffer.alloc(32, 2).toString('base64');
  const { broker, clock, folder, open } = await bench(t, { outboxKey: KEY });
  const later = await bench(t, {
    outboxPath: join(folder, 'p.db'),
    outboxKey: `second ${OTHER}`,
    outboxOldKeys: KEY,
  });
  broker.becomes('down');
  await clock.run(async () => {
    const { publish, close } = await open();
    await publish('a secret word');
    await close();
  });
  const files = await readdir(folder);
  const bytes = await Promise.all(files.map((file) => readFile(join(folder, file))));
  await later.clock.run(async () => {
    await later.clock.sleep(60_000);
    await later.open();
    await later.clock.sleep(20_000);
  });

  assert.deepEqual([files.length > 0, Buffer.concat(bytes).includes('secret')], [true, false]);
  assert.deepEqual(later.broker.texts(), ['a secret word']);
});

const KEY = Buffer.alloc(32, 1).toString('base64');
const range = (count: number) => Array.from({ length: count }, (_, n) => String(n));

/** A folder, a broker that does as it is told, and a clock for both. */
async function bench(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-outbox-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const clock = new VirtualClock();
  const log = createLogger({ write: (line) => void lines.push(line) });
  const broker = obedientBroker();
  const metadata = { outbox: 'true', outboxPath: join(folder, 'p.db'), ...more };
  const settings = outboxSettings(new ComponentSettings('p', Object.entries(metadata)), {
    appId: 'a',
    namespace: 'n',
    stateDir: folder,
  })!;
  const open = async (env: Partial<OutboxPubSubEnv> & { readonly broker?: PubSub } = {}) => {
    const durable = await outboxPubSub(env.broker ?? broker.pubsub, settings, {
      clock: wholeMilliseconds(clock),
      log,
      outbound: () => undefined,
      ...env,
    });
    t.after(() => clock.run(() => durable.close()));
    const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });
    return {
      durable,
      publish: (text: string) => durable.publish('t', message(text)),
      publishAll: (texts: readonly string[]) => durable.publishAll('t', texts.map(message)),
      stats: () => durable.stats(),
      drain: () => durable.drain(),
      close: () => durable.close(),
    };
  };
  return { broker, clock, folder, lines, open };
}

/** A wall clock shows no fractions. */
function wholeMilliseconds(clock: VirtualClock): Clock {
  return {
    now: () => clock.now(),
    wallMs: () => Math.floor(clock.wallMs()),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    timer: (ms, fire) => clock.timer(ms, fire),
  };
}

function obedientBroker() {
  const taken: { readonly text: string; readonly id: string | undefined }[] = [];
  let state: 'up' | 'down' | 'deaf' = 'up';
  let failures = 0;
  let attempts = 0;
  let refused: string | undefined;
  let choking: string | undefined;
  const pubsub: PubSub = {
    capabilities: [],
    async publish(_topic, { data, id }) {
      attempts += 1;
      const text = String(data);
      if (state === 'down' || failures-- > 0) throw new Error('the broker is down');
      if (text === choking) throw new Error('wrong kind of key');
      if (text === refused) throw new MessageRefusedError('too large');
      taken.push({ text, id });
      if (state === 'deaf') await new Promise(() => {});
    },
    subscribe: async () => ({ close: async () => {} }),
    async drain() {},
    async close() {},
  };
  return {
    pubsub,
    texts: () => taken.map(({ text }) => text),
    ids: () => taken.map(({ id }) => id),
    attempts: () => attempts,
    becomes(now: typeof state) {
      state = now;
    },
    failsNext(count: number) {
      failures = count;
    },
    chokesOn(text: string) {
      choking = text;
    },
    refuses(text: string) {
      refused = text;
    },
  };
}
