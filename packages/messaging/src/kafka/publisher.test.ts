import assert from 'node:assert/strict';
import { test } from 'node:test';
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
