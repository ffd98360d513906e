import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { memoryStore, openOutbox } from '@holdfast/messaging';
import { eventApp, readEvents } from './event-app.ts';

test('an event, or a list of them, is accepted under its own id, once', async (t) => {
  const { app, stats } = await eventService(t);
  const one = { id: 'e1', type: 'sensor.test.completed', test_id: 't1' };
  const answers = [
    await app.inject({ method: 'POST', url: '/events', payload: one }),
    await app.inject({
      method: 'POST',
      url: '/events',
      payload: { events: [one, { ...one, id: 'e2' }] },
    }),
  ];

  assert.deepEqual(
    {
      answers: answers.map((answer) => [answer.statusCode, answer.json().ids]),
      stats: await stats(),
    },
    {
      answers: [
        [202, ['e1']],
        [202, ['e1', 'e2']],
      ],
      stats: { queued: 2, successful: 0, dead: 0 },
    },
  );
});

test('what is no event is refused, and nothing of its list is kept', async (t) => {
  const { app, stats } = await eventService(t);
  const payloads = [{}, { type: 7 }, { type: 'a', id: 7 }, { events: [{ type: 'a' }, null] }, []];
  const answers = await Promise.all(
    payloads.map((payload) => app.inject({ method: 'POST', url: '/events', payload })),
  );

  assert.deepEqual(
    [answers.map(({ statusCode }) => statusCode), await stats()],
    [[400, 400, 400, 400, 400], { queued: 0, successful: 0, dead: 0 }],
  );
});

test('a full outbox never says accepted', async (t) => {
  const { app, stats } = await eventService(t, { maxMessages: 1 });
  const send = (id: string) =>
    app.inject({ method: 'POST', url: '/events', payload: { id, type: 'a' } });
  const statuses = [(await send('1')).statusCode, (await send('2')).statusCode];

  assert.deepEqual([statuses, await stats()], [[202, 503], { queued: 1, successful: 0, dead: 0 }]);
});

test('it is ready while the broker is down, and says that it is', async (t) => {
  const { app } = await eventService(t);
  const [ready, health] = await Promise.all([app.inject('/ready'), app.inject('/health')]);

  const { status, checks } = health.json();
  assert.deepEqual(
    [ready.statusCode, health.statusCode, status, checks.broker.status],
    [200, 200, 'degraded', 'fail'],
  );
});

test('one event and a list of events are read alike', () => {
  assert.deepEqual(
    [readEvents({ type: 'a' }), readEvents({ events: [{ type: 'a' }] }), readEvents('a')],
    [[{ type: 'a' }], [{ type: 'a' }], undefined],
  );
});

async function eventService(t: TestContext, limits: { maxMessages?: number } = {}) {
  const outbox = await openOutbox({ store: memoryStore(), limits });
  const app = eventApp({ outbox, broker: () => Promise.reject(new Error('gone')) });
  t.after(async () => {
    await app.close();
    await outbox.close();
  });
  const stats = async () => {
    const { oldest_ms: _age, ...counts } = (await app.inject('/kafka/stats')).json();
    return counts;
  };
  return { app, stats };
}
