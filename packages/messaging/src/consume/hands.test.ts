import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { registry } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import type { Handler, SubscribeOptions } from '../broker.ts';
import { Hands } from './hands.ts';
import { resolveSubscribeOptions } from './subscribe-options.ts';

describe('Hands', () => {
  test('keeps the order of a lane while its first message is tried again', async () => {
    const { clock, give, log, worker } = hands({ redeliverMs: 100 }, async ({ id, delivery }) => {
      if (id === 'a' && delivery < 3) throw new Error('not yet');
    });

    give('a', 'one');
    give('b', 'one');
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '100 a#2', '300 a#3', '300 ack a', '300 b#1', '300 ack b']);
  });

  test('lets another lane go on meanwhile, with room for one handler', async () => {
    const { clock, give, log, worker } = hands({ redeliverMs: 100 }, async ({ id, delivery }) => {
      if (id === 'a' && delivery < 2) throw new Error('not yet');
    });

    give('a', 'one');
    give('b', 'two');
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '0 b#1', '0 ack b', '100 a#2', '100 ack a']);
  });

  test('has no more at work than its concurrency', async () => {
    const { clock, give, log, worker } = hands({ concurrency: 2 }, () => clock.sleep(50));

    for (const id of ['a', 'b', 'c']) give(id);
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '0 b#1', '50 c#1', '50 ack a', '50 ack b', '100 ack c']);
  });

  test('goes on counting where the broker did', async () => {
    const { clock, give, log, worker } = hands({}, async () => {});

    give('a', 'one', 7);
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#8', '0 ack a']);
  });

  test('a handler that does not come back holds up its own lane alone, also in the next hands', async () => {
    const { clock, log, worker } = hands({ concurrency: 2 }, ({ id }) =>
      clock.sleep(id === 'a' ? 1_000 : 10),
    );
    const acknowledge = (id: string) => () => void log.push(`${clock.now()} ack ${id}`);
    worker.give(message('a'), acknowledge('a'), { lane: 'one' });
    await clock.advance(5);
    const next = worker.next();
    next.give(message('b'), acknowledge('b'), { lane: 'one' });
    next.give(message('c'), acknowledge('c'), { lane: 'two' });
    await clock.run(() => next.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '5 c#1', '15 ack c', '1000 ack a', '1000 b#1', '1010 ack b']);
  });

  test('what fails is refused where the broker has a place for such, and left to it where we end', async () => {
    const { clock, log, worker } = hands({}, async () => {
      await clock.sleep(50);
      throw new Error('no');
    });
    const refuse = (id: string) => ({ refuse: () => void log.push(`${clock.now()} refuse ${id}`) });
    const message = (id: string) => ({ id, topic: 't', body: new Uint8Array(), headers: {} });
    const acknowledge = () => void log.push('acknowledged');
    worker.give(message('a') as never, acknowledge, refuse('a'));
    await clock.run(() => worker.fewerThan(1));
    worker.give(message('b') as never, acknowledge, refuse('b'));
    await clock.advance(10);
    await clock.run(() => worker.end());

    assert.deepEqual(log, ['0 a#1', '50 refuse a', '50 b#1']);
  });

  test('ended, begins nothing, waits for what is at work and acknowledges that', async () => {
    const { clock, give, log, worker } = hands({}, () => clock.sleep(50));
    give('a', 'one');
    give('b', 'one');
    let idle = false;

    await clock.advance(10);
    void worker.end().then(() => {
      idle = true;
    });
    await clock.advance(10);
    const before = idle;
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(
      { log, before, idle },
      { log: ['0 a#1', '50 ack a'], before: false, idle: true },
    );
  });

  test('ended, it is no longer among the pipelines that the process lists; its successor is', async () => {
    const { worker } = hands({ group: 'listed' }, async () => {});
    const listed = () => registry.list().filter(({ name }) => name === 'handlers of listed').length;
    const before = listed();
    const next = worker.next();
    const between = listed();
    await next.end();

    assert.deepEqual([before, between, listed()], [1, 1, 0]);
  });

  test('its successor waits for what is at work', async () => {
    const { clock, give, log, worker } = hands({}, () => clock.sleep(50));
    give('a', 'one');
    await clock.advance(10);

    const next = worker.next();
    next.give(message('b'), () => void log.push('ack b'));
    await clock.run(() => next.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '50 ack a', '50 b#1', 'ack b']);
  });

  test('where messages are given up, those that others had are begun one at a time, and new ones beside them', async () => {
    const giveUp = { after: 9, to: async () => {} };
    const { clock, give, log, worker } = hands({ concurrency: 5, giveUp }, () => clock.sleep(50));
    give('a', undefined, 1);
    give('b', undefined, 2);
    give('new');
    const onTrial = worker.trials.count;
    await clock.run(() => worker.fewerThan(1));

    const begun = ['0 new#1', '0 a#2', '50 ack new', '50 b#3', '50 ack a', '100 ack b'];
    assert.deepEqual({ onTrial, log }, { onTrial: 2, log: begun });
  });

  test('a trial is over when the handler has failed once: the next begins before it is tried again', async () => {
    const giveUp = { after: 9, to: async () => {} };
    const { clock, give, log, worker } = hands(
      { concurrency: 5, giveUp, redeliverMs: 100 },
      async ({ id, delivery }) => {
        if (id === 'a' && delivery === 2) throw new Error('not yet');
      },
    );
    give('a', undefined, 1);
    give('b', undefined, 1);
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#2', '0 b#2', '0 ack b', '100 a#3', '100 ack a']);
  });

  test('one on trial that is dropped holds up no other', async () => {
    const giveUp = { after: 9, to: async () => {} };
    const { clock, log, worker } = hands({ giveUp }, async () => {});
    worker.give(message('a'), () => {}, { earlier: 1, ours: () => false });
    worker.give(message('b'), () => void log.push('ack b'), { earlier: 1 });
    await clock.run(() => worker.trials.over());

    assert.deepEqual({ log, left: worker.trials.count }, { log: ['0 b#2', 'ack b'], left: 0 });
  });

  test('a listener that throws stops nothing', async () => {
    const onProblem = () => {
      throw new Error('the listener is broken');
    };
    const { clock, give, log, worker } = hands(
      { onProblem, redeliverMs: 5 },
      async ({ delivery }) => {
        if (delivery === 1) throw new Error('not yet');
      },
    );

    give('a', 'one');
    await clock.run(() => worker.fewerThan(1));

    assert.deepEqual(log, ['0 a#1', '5 a#2', '5 ack a']);
  });
});

function hands(given: Partial<SubscribeOptions>, handler: Handler) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const note = (what: string) => log.push(`${clock.now()} ${what}`);
  const options = resolveSubscribeOptions({ group: 'g', ...given });
  const logged: Handler = (message) => {
    note(`${message.id}#${message.delivery}`);
    return handler(message);
  };
  const worker = new Hands(logged, options, clock);
  return {
    clock,
    log,
    worker,
    give: (id: string, lane?: string, earlier = 0) =>
      worker.give(message(id), () => void note(`ack ${id}`), { lane, earlier }),
  };
}

function message(id: string) {
  return { id, topic: 't', key: undefined, body: Buffer.alloc(0), headers: {} };
}
