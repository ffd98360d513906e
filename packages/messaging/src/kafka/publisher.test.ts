import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerUnavailableError } from '../errors.ts';
import { kafkaBroker } from './kafka-broker.ts';
import type { KafkaModule } from './module.ts';

test('what another broker has in hand goes to its end when one fails, and the next has a producer of its own', async () => {
  const { broker, events, publish, settle } = twoBrokers();
  const slow = publish('slow');
  await assert.rejects(publish('failing'), { message: /did not take the messages: gone/ });
  await publish('next');
  assert.deepEqual(events, ['0 slow', '0 failing', '1 next']);
  settle();
  await slow;
  assert.deepEqual(events.slice(3), ['0 closed']);
  await broker.close();
  assert.deepEqual(events.slice(4), ['1 closed']);
});

test('closing ends those that others still wait for as well', async () => {
  const { broker, events, publish, settle } = twoBrokers();
  const slow = publish('slow');
  await assert.rejects(publish('failing'));
  await broker.close();
  assert.deepEqual(events, ['0 slow', '0 failing', '0 closed']);
  settle();
  await slow;
  assert.equal(events.length, 3);
});

test('a Kafka that refuses connections, or has no number for a producer yet, had nothing', async () => {
  const everywhere = failed('send', failed('connect', refused(), refused()), refused());
  assert.deepEqual(await unsent(everywhere), { one: true, several: false });
  for (const closed of ['Connection pool is closed.', 'Client closed while retrying produce.']) {
    const gone = failed('produce', refused(), new Error(closed));
    assert.deepEqual(await unsent(gone), { one: true, several: false });
  }
  for (const id of ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE']) {
    assert.deepEqual(await unsent(failed('initProducerId', refused(), protocol(id))), {
      ...{ one: true, several: true },
    });
  }
});

test('what may have been sent before is not called unsent', async () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  for (const error of [
    failed('send', reset, refused()),
    failed('send', protocol('NOT_LEADER_OR_FOLLOWER'), refused()),
    new Error('Timed out.'),
    'no error at all',
  ]) {
    assert.deepEqual(await unsent(error), { one: false, several: false });
  }
});

/** In place of Kafka: `failing` is refused at once, `slow` taken when it is settled, the rest taken. */
function twoBrokers() {
  const events: string[] = [];
  const taken = Promise.withResolvers<void>();
  let made = 0;
  class Producer {
    readonly #name = made++;
    async send({ messages }: { readonly messages: readonly { readonly topic: string }[] }) {
      const { topic } = messages[0]!;
      events.push(`${this.#name} ${topic}`);
      if (topic === 'failing') throw new Error('gone');
      if (topic === 'slow') await taken.promise;
    }
    async close(): Promise<void> {
      events.push(`${this.#name} closed`);
    }
  }
  const kafka = { Producer } as unknown as KafkaModule;
  const broker = kafkaBroker({ kafka, bootstrap: ['h:1'], clientId: 'c' });
  const publish = (topic: string) =>
    broker.publish([{ id: topic, topic, key: undefined, body: Buffer.from('x'), headers: {} }]);
  return { broker, events, publish, settle: () => taken.resolve() };
}

const failed = (what: string, ...errors: Error[]) => new AggregateError(errors, `${what} failed.`);
const refused = () =>
  new Error('Connection to h:1 failed.', {
    cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  });
const protocol = (apiId: string) => Object.assign(new Error(apiId), { apiId });

/** Whether a client that fails so is said to have sent nothing, of one record and of several. */
async function unsent(error: unknown) {
  class Producer {
    async send(): Promise<void> {
      throw error;
    }
    async close(): Promise<void> {}
  }
  const kafka = { Producer } as unknown as KafkaModule;
  const broker = kafkaBroker({ kafka, bootstrap: ['h:1'], clientId: 'c' });
  const message = { id: '1', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
  const publish = (messages: readonly (typeof message)[]) =>
    broker.publish(messages).then(
      () => assert.fail('it was published'),
      (thrown: BrokerUnavailableError) => thrown.unsent,
    );
  const one = await publish([message]);
  return { one, several: await publish([message, { ...message, id: '2' }]) };
}
