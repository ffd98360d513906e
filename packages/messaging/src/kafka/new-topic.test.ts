import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaBroker } from './kafka-broker.ts';
import type { KafkaModule } from './module.ts';

test('a topic that the broker is only making is tried for as long as the options say', async () => {
  const patient = clientThatKnowsItsTopicAfter(3);
  await patient.publish({ newTopicMs: 60_000 });
  assert.equal(patient.sent(), 4);
  const hasty = clientThatKnowsItsTopicAfter(3);
  await assert.rejects(hasty.publish({}), {
    message: /did not take the messages: Unknown topic t/,
  });
  assert.equal(hasty.sent(), 1);
});

test('where nobody may make topics, nobody waits for one', async () => {
  const { publish, sent } = clientThatKnowsItsTopicAfter(3);
  await assert.rejects(publish({ newTopicMs: 60_000, autocreateTopics: false }));
  assert.equal(sent(), 1);
});

/** In place of a Kafka that is slow: its client says so for some times. */
function clientThatKnowsItsTopicAfter(times: number) {
  let sent = 0;
  class Producer {
    async send(): Promise<void> {
      sent += 1;
      if (sent <= times) throw new Error('Unknown topic t.');
    }
    async metadata() {
      return { topics: new Map() };
    }
    async close(): Promise<void> {}
  }
  const kafka = { Producer } as unknown as KafkaModule;
  return {
    sent: () => sent,
    async publish(more: { readonly newTopicMs?: number; readonly autocreateTopics?: boolean }) {
      const broker = kafkaBroker({ kafka, bootstrap: ['h:1'], clientId: 'c', ...more });
      const message = { id: '1', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
      await broker.publish([message]);
    },
  };
}
