import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { type BulkEntry, BulkGatherer } from './bulk-gatherer.ts';

describe('gathering events into bulks', () => {
  test('a full bulk goes at once, one that is not when its first event has waited long enough', async () => {
    const { clock, gatherer, bulks } = bench({ takesMs: 0 });
    await clock.run(async () => {
      const taken = ['a', 'b', 'c', 'd'].map((text) => gatherer.take(message(text)));
      await clock.sleep(60);
      taken.push(gatherer.take(message('e')));
      await Promise.all(taken);
    });
    assert.deepEqual(bulks, ['0: a b c', '100: d e']);
  });

  test('one is brought at a time; what comes meanwhile makes the next', async () => {
    const { clock, gatherer, bulks } = bench({ takesMs: 500 });
    await clock.run(async () => {
      const taken = ['a', 'b', 'c', 'd', 'e'].map((text) => gatherer.take(message(text)));
      await Promise.all(taken);
    });
    assert.deepEqual(bulks, ['0: a b c', '600: d e']);
  });

  test('each event ends as its entry does; where all failed, all do', async () => {
    const { clock, gatherer } = bench({ takesMs: 0 });
    const ends = await clock.run(() =>
      Promise.allSettled(['a', 'bad', 'c', 'worse'].map((text) => gatherer.take(message(text)))),
    );
    assert.deepEqual(
      ends.map((end) => (end.status === 'fulfilled' ? 'taken' : end.reason.message)),
      ['taken', 'not bad', 'taken', 'worse than all'],
    );
  });

  test('an event whose broker waits no longer leaves, unless it is on its way', async () => {
    const { clock, gatherer, bulks } = bench({ takesMs: 0 });
    const impatient = new AbortController();
    const ends = await clock.run(async () => {
      const leaving = gatherer.take(message('a'), impatient.signal);
      const staying = gatherer.take(message('b'));
      impatient.abort(new Error('too late'));
      return await Promise.allSettled([leaving, staying]);
    });
    assert.deepEqual(
      [ends.map(({ status }) => status), bulks],
      [['rejected', 'fulfilled'], ['100: b']],
    );
  });

  test('when the last has left, its timer of up to hours stayed; now none is left', async () => {
    const { clock, gatherer } = bench({ takesMs: 0 });
    const impatient = new AbortController();
    const leaving = gatherer.take(message('a'), impatient.signal);
    impatient.abort(new Error('too late'));
    await assert.rejects(leaving, /too late/);
    assert.equal(clock.pendingTimers, 0);
  });

  test('hurried, nothing waits for company, and no timer is left', async () => {
    const { clock, gatherer, bulks } = bench({ takesMs: 0 });
    await clock.run(async () => {
      const first = gatherer.take(message('a'));
      gatherer.hurry();
      await first;
      await gatherer.take(message('b'));
    });
    assert.deepEqual([bulks, clock.pendingTimers], [['0: a', '0: b'], 0]);
  });
});

const message = (text: string) => ({ data: Buffer.from(text), metadata: {} });

/** A gatherer of three or 100 ms; what it brought, and when. */
function bench({ takesMs }: { readonly takesMs: number }) {
  const clock = new VirtualClock();
  const bulks: string[] = [];
  const deliver = async (entries: readonly BulkEntry[]) => {
    const texts = entries.map(({ message }) => String(message.data));
    bulks.push(`${Math.round(clock.now())}: ${texts.join(' ')}`);
    if (takesMs > 0) await clock.sleep(takesMs);
    if (texts.includes('worse')) throw new Error('worse than all');
    return new Map(
      entries
        .filter((_, at) => texts[at] === 'bad')
        .map(({ entryId }) => [entryId, new Error('not bad')]),
    );
  };
  return {
    clock,
    bulks,
    gatherer: new BulkGatherer({ maxMessages: 3, maxAwaitMs: 100 }, clock, deliver),
  };
}
