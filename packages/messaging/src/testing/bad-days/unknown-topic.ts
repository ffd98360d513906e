import type { TestContext } from 'node:test';
import { pipeline } from '@holdfast/core';
import type { Broker } from '../../broker.ts';
import { memoryStore } from '../../memory-store.ts';
import { openOutbox } from '../../outbox.ts';
import { eventually } from '../eventually.ts';

/**
 * Relays messages for a topic that the broker does not know, and others in between, until the former is dead. Resolves
 * with why, when the last of the others has been taken.
 */
export async function unknownTopic(
  t: TestContext,
  broker: Broker,
  topics: { readonly known: string; readonly unknown: string },
): Promise<string> {
  const outbox = await openOutbox({ store: memoryStore() });
  t.after(() => outbox.close());
  const alone = pipeline('unknown topic', [], { registry: undefined });
  outbox.relay(broker, { pauseMs: 20, maxPauseMs: 50, pipeline: alone });
  await outbox.accept([{ id: 'lost', topic: topics.unknown, key: 'a', body: 'x' }]);
  let sent = 0;
  const letters = await eventually(
    async () => {
      await outbox.accept([{ id: `m${sent}`, topic: topics.known, key: 'b', body: 'x' }]);
      sent += 1;
      return (await outbox.dead.list()).letters;
    },
    (all) => all.length > 0,
    'it is dead',
  );
  await eventually(
    () => outbox.stats(),
    ({ successful }) => successful >= sent,
    'the others are taken',
  );
  return letters.map(({ message: { id }, reason }) => `${id}: ${reason}`).join('; ');
}
