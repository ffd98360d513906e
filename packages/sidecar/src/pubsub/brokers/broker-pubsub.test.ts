import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import type { Broker, Handler, IncomingMessage, SubscribeOptions } from '@holdfast/messaging';
import { sqliteBroker } from '@holdfast/messaging/sqlite-broker';
import { createLogger } from '@holdfast/telemetry/log';
import type { PubSubHandler } from '../pubsub.ts';
import { brokerPubSub } from './broker-pubsub.ts';

describe('a broker that gives events up', () => {
  test('hands over the next one after so many deliveries of one that fails, and the log has a line', async (t) => {
    const { member, lines } = await group(t);
    const seen: string[] = [];
    const { promise: came, resolve } = Promise.withResolvers<void>();
    const broker = await member(async ({ data }) => {
      seen.push(String(data));
      if (String(data) === 'fails') throw new Error('no');
      resolve();
    });
    for (const text of ['fails', 'next']) await broker.publish('t', event(text));
    await came;
    assert.deepEqual(seen, ['fails', 'fails', 'next']);
    assert.match(lines.join(''), /p gives up an event of t, delivered 2 times: no/);
  });

  test('keeps what failed because the sidecar ends: another of the group has it', async (t) => {
    const { member, lines } = await group(t);
    const [begun, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const leaving = await member(async () => {
      begun.resolve();
      await ending.promise;
    }, 1);
    await leaving.publish('t', event('kept'));
    await begun.promise;
    const drained = leaving.drain();
    ending.reject(new Error('the sidecar ends'));
    await drained;
    await leaving.close();
    const taken = Promise.withResolvers<string>();
    await member(async ({ data }) => taken.resolve(String(data)));
    assert.equal(await taken.promise, 'kept');
    assert.deepEqual(lines, []);
  });
});

test('an outage of a broker is a line for each reason, and one when events come again', async () => {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  let given: [SubscribeOptions, Handler] | undefined;
  const broker: Broker = {
    publish: async () => {},
    async subscribe(_topic, options, handler) {
      given = [options, handler];
      return { close: async () => {} };
    },
    close: async () => {},
  };
  const how = { component: 'p', group: 'g', concurrency: 1, clock: systemClock, log };
  await brokerPubSub(broker, how).subscribe('t', async () => {});
  const [options, handler] = given!;
  const lost = (why: string) =>
    options.onProblem?.({ kind: 'connection-lost', error: new Error(why) });
  const comes = () =>
    handler({
      id: '1',
      topic: 't',
      key: undefined,
      headers: {},
      body: Buffer.from(''),
      sentAtMs: 0,
      delivery: 1,
    } as IncomingMessage);
  for (const why of ['reset', 'refused', 'refused', 'refused']) lost(why);
  await comes();
  await comes();
  lost('refused');
  assert.deepEqual(
    lines.map((line) => /msg="?([^"]*)/.exec(line)?.[1] ?? line),
    ['p lost t: reset', 'p lost t: refused', 'p has events of t again.', 'p lost t: refused'],
  );
});

const event = (text: string) => ({ data: Buffer.from(text), metadata: {} });

async function group(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-broker-pubsub-'));
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return {
    lines,
    async member(handler: PubSubHandler, giveUpAfter = 2) {
      const path = join(folder, 'b.db');
      const broker = sqliteBroker({ path, leaseMs: 1_000, requireSubscriber: false });
      await broker.open();
      const one = brokerPubSub(broker, {
        ...{ component: 'p', group: 'g', concurrency: 1, giveUpAfter, clock: systemClock, log },
        redeliver: { redeliverMs: 1, maxRedeliverMs: 1 },
      });
      t.after(() => one.close());
      await one.subscribe('t', handler);
      return one;
    },
  };
}
