import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Broker } from '../../broker.ts';
import { memoryStore } from '../../memory-store.ts';
import type { IncomingMessage } from '../../message.ts';
import { openOutbox } from '../../outbox.ts';
import { eventually } from '../eventually.ts';

interface Begun {
  connect(clientId: string): Broker;
  readonly topic: string;
}

/** The part of the broker contract that is about what a subscriber gives up. */
export function givenUpContract(begin: (t: TestContext) => Promise<Begun>): void {
  test('what is given up is a dead letter with stack and history, also where it came from this very outbox, and its replay arrives', async (t) => {
    const { connect, topic } = await begin(t);
    const outbox = await openOutbox({ store: memoryStore() });
    t.after(() => outbox.close());
    const handled: IncomingMessage[] = [];
    let well = false;
    const options = {
      ...{ group: `g-${topic}`, redeliverMs: 5, maxRedeliverMs: 20 },
      giveUp: { after: 3, to: outbox.dead.keep },
    };
    await connect('consumer').subscribe(topic, options, async (message) => {
      if (message.id === 'bad' && !well) throw new RangeError('12 is no amount\nof anything');
      handled.push(message);
    });
    outbox.relay(connect('relay'));
    const ids = () => [...new Set(handled.map(({ id }) => id))];

    await outbox.accept(['bad', 'good'].map((id) => ({ id, topic, key: 'k', body: `body ${id}` })));
    const letter = await eventually(
      () => outbox.dead.find('bad'),
      (found) => found !== undefined,
      'it is a dead letter',
    );
    await eventually(ids, (all) => all.includes('good'), 'the one behind it comes');
    well = true;
    await outbox.dead.replay(['bad']);
    await eventually(ids, (all) => all.length === 2, 'the replay arrives');

    const [line, frame] = letter?.reason.split('\n') ?? [];
    assert.match(line ?? '', /^failed \d times; last: RangeError: 12 is no amount of anything$/);
    assert.match(frame ?? '', /^ {4}at .*broker-contract-dead/);
    assert.ok((letter?.deliveries ?? 0) >= 3);
    const failed = letter?.history.filter(({ what }) => what === 'failed') ?? [];
    assert.ok(failed.length >= 3, `${failed.length} failures`);
    for (const { at, detail } of failed) {
      assert.match(detail, /^delivery \d in \S+:\d+: RangeError: 12 is no amount of anything$/);
      assert.ok(Math.abs(Date.parse(at) - performance.timeOrigin) < 3_600_000, at);
    }
    const last = letter?.history.at(-1);
    assert.deepEqual([last?.what, last?.detail], ['died', `group g-${topic}: ${line}`]);
    assert.equal(Buffer.from(letter?.message.body ?? []).toString(), 'body bad');
  });
}
