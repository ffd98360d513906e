import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import type { MessageStore } from '../store.ts';

test('letters of one cause are one group, whatever ids and numbers their reasons hold', async (t) => {
  const { outbox, bury, clock } = await opened(t);
  await bury('orders', [
    'order 12 of 2026-01-02T03:04:05Z has 7 bytes too many',
    'order 9 of 2026-11-12T13:14:15.678Z has 1,024 bytes too many',
    'unknown customer "Ann" (0b7e9f6c-1111-4222-8333-444455556666)',
  ]);
  await clock.advance(50);
  await bury('invoices', ['unknown customer "Bob" (0B7E9F6C-1111-4222-8333-444455556667)']);

  const groups = await outbox.dead.groups();
  const same = await outbox.dead.groups({
    reason: 'order 5 of 2026-01-02T03:04:05Z has 3 bytes too many',
  });

  assert.deepEqual(groups, [
    {
      topic: 'orders',
      reason: 'order <n> of <time> has <n> bytes too many',
      count: 2,
      oldestMs: 50,
      ids: ['orders-0', 'orders-1'],
    },
    {
      topic: 'orders',
      reason: 'unknown customer "…" (<id>)',
      count: 1,
      oldestMs: 50,
      ids: ['orders-2'],
    },
    {
      topic: 'invoices',
      reason: 'unknown customer "…" (<id>)',
      count: 1,
      oldestMs: 0,
      ids: ['invoices-0'],
    },
  ]);
  assert.deepEqual(
    same.map(({ ids }) => ids),
    [['orders-0', 'orders-1']],
  );
});

test('a replay keeps to its rate, can be rehearsed, stopped, and gone on with', async (t) => {
  const { outbox, bury, clock } = await opened(t);
  await bury(
    'orders',
    Array.from({ length: 100 }, () => 'refused'),
  );
  await bury('invoices', ['refused']);
  const choice = { topic: 'orders' };
  const stop = new AbortController();
  const progress: string[] = [];

  const rehearsed = await outbox.dead.replayAll(choice, { dryRun: true });
  const untouched = (await outbox.stats()).dead;
  const first = clock.run(() =>
    outbox.dead.replayAll(choice, {
      perSecond: 20,
      signal: stop.signal,
      onProgress(replayed) {
        progress.push(`${replayed} at ${clock.now()}`);
        if (replayed === 6) stop.abort();
      },
    }),
  );
  const stopped = await first;
  const begunMs = clock.now();
  const second = await clock.run(() => outbox.dead.replayAll(choice, { perSecond: 20 }));

  assert.deepEqual(rehearsed, { replayed: 0, chosen: 100, stopped: false });
  assert.equal(untouched, 101);
  assert.deepEqual(progress, ['2 at 0', '4 at 100', '6 at 200']);
  assert.deepEqual([stopped.replayed, stopped.stopped], [6, true]);
  assert.deepEqual([second.replayed, second.stopped], [94, false]);
  assert.equal(clock.now() - begunMs, 4_700);
  const { queued, dead } = await outbox.stats();
  assert.deepEqual({ queued, dead }, { queued: 100, dead: 1 });
});

test('a letter that dies again while others are replayed is not replayed for ever', async (t) => {
  const { outbox, store, bury, clock } = await opened(t);
  await bury('orders', ['refused', 'refused', 'refused']);
  await clock.advance(1_000);

  const report = await clock.run(() =>
    outbox.dead.replayAll(
      {},
      {
        perSecond: 1,
        onProgress: () => void store.lease(10, 1_000).then((leases) => store.bury(leases, 'again')),
      },
    ),
  );

  assert.equal(report.replayed, 3);
  assert.equal((await outbox.stats()).dead, 3);
});

test('letters that died just now are meant, however long the store takes to list them', async (t) => {
  const { clock, store, bury } = await opened(t);
  await bury('orders', ['refused', 'refused']);
  const slow: MessageStore = {
    ...store,
    async listDead(page) {
      const found = await store.listDead(page);
      await clock.advance(250);
      return found;
    },
  };
  const outbox = await openOutbox({ store: slow, clock });

  const rehearsed = await outbox.dead.replayAll({}, { dryRun: true });

  assert.equal(rehearsed.chosen, 2);
});

test('an edit is checked like any message, and changes only what it names', async (t) => {
  const { outbox, bury } = await opened(t);
  await bury('orders', ['refused']);

  const done = await outbox.dead.edit('orders-0', { body: 'better' });
  const letter = await outbox.dead.find('orders-0');

  assert.equal(done, true);
  assert.deepEqual(
    [
      letter?.message.topic,
      Buffer.from(letter!.message.body).toString(),
      letter?.history.at(-1)?.detail,
    ],
    ['orders', 'better', 'body had 4 bytes'],
  );
  assert.equal(await outbox.dead.edit('unknown', { body: 'x' }), false);
  await assert.rejects(outbox.dead.edit('orders-0', { topic: '' }), TypeError);
  await assert.rejects(outbox.dead.edit('orders-0', { body: Buffer.alloc(2_000_000) }), {
    code: 'MESSAGE_TOO_LARGE',
  });
});

test('letters leave one outbox as lines of JSON and come into another whole', async (t) => {
  const [here, there] = [await opened(t), await opened(t)];
  await here.bury('orders', ['refused: "ü"', 'refused']);
  await here.outbox.dead.edit('orders-1', { body: Buffer.from([0xff, 0x00]) });
  await here.bury('invoices', ['refused']);

  const lines: string[] = [];
  for await (const line of here.outbox.dead.export({ topic: 'orders' })) lines.push(line);
  const report = await there.outbox.dead.import([...lines, '']);
  const again = await there.outbox.dead.import(lines);
  const copies: string[] = [];
  for await (const line of there.outbox.dead.export()) copies.push(line);

  assert.deepEqual(
    [report, again],
    [
      { added: 2, known: 0 },
      { added: 0, known: 2 },
    ],
  );
  assert.deepEqual(copies, lines);
  assert.match(lines[1] ?? '', /"bodyBase64":"\/wA="/);
  assert.equal(await here.outbox.dead.discardAll({ topic: 'orders' }), 2);
  assert.equal((await here.outbox.stats()).dead, 1);
});

test('a line that a newer version wrote is read, without what is not known of it', async (t) => {
  const { outbox } = await opened(t);

  const report = await outbox.dead.import(['{"id":"a","topic":"t","body":"x","tomorrow":{"x":1}}']);

  assert.deepEqual(report, { added: 1, known: 0 });
  assert.deepEqual((await outbox.dead.find('a'))?.message.headers, {});
});

test('a line that is no letter is named, with what may stand there', async (t) => {
  const { outbox } = await opened(t);
  const good = '{"id":"a","topic":"t","body":"x"}';
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{', /^line 2: is not JSON \(/],
    ['[]', /^line 2: must be a JSON object, as `holdfast dead export` writes it$/],
    [
      '{"topic":"t","body":"x"}',
      /^line 2: "id" must be text of 1 to 255 characters, not undefined$/,
    ],
    [
      '{"id":"a","topic":1,"body":"x"}',
      /^line 2: "topic" must be text of 1 to 255 characters, not 1$/,
    ],
    ['{"id":"a","topic":"t"}', /^line 2: "body" must be text, or "bodyBase64" Base64$/],
    [
      '{"id":"a","topic":"t","body":"x","headers":{"h":1}}',
      /^line 2: "headers" must be an object of texts$/,
    ],
    [
      '{"id":"a","topic":"t","body":"x","deliveries":-1}',
      /^line 2: "deliveries" must be a whole number from 0, not -1$/,
    ],
    ['{"id":"a","topic":"t","body":"x","history":[{}]}', /^line 2: "history" must be a list of/],
  ];

  for (const [line, message] of wrong) {
    await assert.rejects(outbox.dead.import([good, line]), { message });
  }
});

async function opened(t: TestContext) {
  const clock = new VirtualClock();
  const store = memoryStore({ clock });
  const outbox = await openOutbox({ store, clock });
  t.after(() => outbox.close());
  /** Messages `TOPIC-0` … that died, one for each reason. */
  const bury = async (topic: string, reasons: readonly string[]) => {
    await outbox.accept(reasons.map((_, n) => ({ id: `${topic}-${n}`, topic, body: 'body' })));
    const leases = await store.lease(1_000, 1_000);
    for (const [n, lease] of leases.entries()) await store.bury([lease], reasons[n] ?? '');
  };
  return { outbox, store, clock, bury };
}
