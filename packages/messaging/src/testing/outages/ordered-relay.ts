import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Broker } from '../../broker.ts';
import { memoryStore } from '../../memory-store.ts';
import { openOutbox } from '../../outbox.ts';
import { eventually } from '../eventually.ts';

export interface RelayedBroker {
  /** A client that is closed after the test. */
  readonly opened: (t: TestContext, clientId: string) => Broker;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
}

/** One key through an outbox and two members of a group, some of it failing at first, on a server that is killed twice. */
export function orderedRelay({ kill, opened, restart }: RelayedBroker, skip: string | false): void {
  test('behind a relay nothing is lost and the order kept, though the server is killed twice', {
    skip,
  }, async (t) => {
    const outbox = await openOutbox({ store: memoryStore() });
    t.after(() => outbox.close());
    outbox.relay(opened(t, 'relay'));
    const arrived = new Set<string>();
    for (const member of ['one', 'two']) {
      await opened(t, member).subscribe(
        'kept-in-order',
        { group: 'g', redeliverMs: 5 },
        async ({ delivery, id }) => {
          if (delivery === 1 && id.endsWith('7')) throw new Error('not at once');
          arrived.add(id);
        },
      );
    }

    const ids = Array.from({ length: 400 }, (_, n) => `m${n}`);
    const arrive = (what: string, enough: number) =>
      eventually(
        () => arrived.size,
        (size) => size >= enough,
        what,
      );
    for (const quarter of [0, 1, 2, 3]) {
      const some = ids.slice(quarter * 100, quarter * 100 + 100);
      await outbox.accept(some.map((id) => ({ id, topic: 'kept-in-order', key: 'k', body: id })));
      if (quarter % 2 === 0) continue;
      await arrive('they arrive', quarter * 60 + 1);
      await kill();
      await restart();
    }
    await arrive('all arrive', ids.length);
    assert.deepEqual([...arrived], ids);
  });
}
