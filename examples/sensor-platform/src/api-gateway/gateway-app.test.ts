import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sidecarClient } from '../service/sidecar-client.ts';
import {
  NOT_REACHED,
  type SeenRequest,
  type StandInAnswer,
  standInSidecar,
} from '../testing/stand-in-sidecar.ts';
import { gatewayApp } from './gateway-app.ts';

test('a request reaches its service as it came, and the answer comes back as it was given', async (t) => {
  const { app, seen } = await gateway(t, () => ({ status: 418, body: { short: 'and stout' } }));
  const answer = await app.inject({
    method: 'POST',
    url: '/test/sensor/temperature?unit=C',
    headers: { authorization: 'Bearer x', 'idempotency-key': 'mine', 'content-type': 'text/plain' },
    payload: 'as it is',
  });

  const [request] = seen;
  assert.deepEqual(
    {
      status: answer.statusCode,
      body: answer.json(),
      what: request?.what,
      authorization: request?.headers.authorization,
      key: request?.headers['idempotency-key'],
      sent: request?.body,
    },
    {
      status: 418,
      body: { short: 'and stout' },
      what: 'POST sensor-service/test/sensor/temperature?unit=C',
      authorization: 'Bearer x',
      key: 'mine',
      sent: 'as it is',
    },
  );
});

test("a service's own 503 passes through, and proves to the circuit that the service is there", async (t) => {
  const { app, seen } = await gateway(t, () => ({
    status: 503,
    body: { error: 'Database unavailable' },
  }));
  const answers = await inTurn(8, () => app.inject({ method: 'POST', url: '/auth/token' }));

  assert.deepEqual(
    [answers.map(({ body }) => body), seen.length],
    [Array(8).fill('{"error":"Database unavailable"}'), 8],
  );
});

for (const [how, answer] of [
  ['cannot be reached by its sidecar', NOT_REACHED],
  ['is cut off with our own sidecar', 'broken'],
] as const) {
  test(`a service that ${how} is left alone after five failures, and the others are not`, async (t) => {
    const { app, seen } = await gateway(t, ({ what }) =>
      what.includes('auth-service') ? answer : { status: 200, body: { queued: 0 } },
    );
    const answers = await inTurn(8, () => app.inject({ method: 'POST', url: '/auth/token' }));
    const asked = seen.length;
    const { circuit_breakers: circuits } = (await app.inject('/health')).json();
    const stats = await app.inject('/kafka/stats');

    assert.deepEqual(
      {
        answers: answers.map(({ statusCode, body }) => `${statusCode} ${body}`),
        asked,
        auth: [circuits.auth.state, circuits.auth.failures],
        event: circuits.event.state,
        stats: stats.json(),
      },
      {
        answers: Array(8).fill('503 {"error":"auth service unavailable"}'),
        asked: 5,
        auth: ['open', 5],
        event: 'closed',
        stats: { queued: 0 },
      },
    );
  });
}

test('an order is accepted when event-service has it on disk, and not before', async (t) => {
  let answer: StandInAnswer = { status: 202, body: { status: 'accepted' } };
  const { app, seen } = await gateway(t, () => answer);
  const order = () => app.inject({ method: 'POST', url: '/process', payload: { a: 1 } });

  const good = await order();
  answer = { status: 503, body: { error: 'Events cannot be kept now' } };
  const refused = await order();
  answer = NOT_REACHED;
  const gone = await order();

  const { id, ...event } = JSON.parse(seen[0]?.body ?? '{}');
  assert.deepEqual(
    {
      answers: [good, refused, gone].map(({ statusCode, body }) => `${statusCode} ${body}`),
      event,
      named: good.headers['event-id'] === id,
    },
    {
      answers: [
        '202 {"status":"accepted"}',
        '503 {"error":"Events cannot be kept now"}',
        '503 {"error":"event service unavailable"}',
      ],
      event: { type: 'process.requested', data: { a: 1 } },
      named: true,
    },
  );
});

test('bad input gets one sentence: no JSON, too much of it, no such route', async (t) => {
  const { app } = await gateway(t, () => ({ status: 200, body: {} }));
  const post = (payload: string) => app.inject({ method: 'POST', url: '/process', payload });
  const answers = [
    await post('{"a":'),
    await post('"'.padEnd(2_000_000, 'x')),
    await app.inject('/no/such/route'),
  ];

  assert.deepEqual(
    answers.map(({ statusCode, body }) => `${statusCode} ${body}`),
    [
      '400 {"error":"The body must be JSON"}',
      '413 {"error":"Request body is too large"}',
      '404 {"error":"No route GET /no/such/route"}',
    ],
  );
});

async function gateway(t: TestContext, answer: (request: SeenRequest) => StandInAnswer) {
  const server = await standInSidecar(answer);
  const app = gatewayApp({
    sidecar: sidecarClient(server.port),
    outside: async () => {
      throw new Error('not asked here');
    },
  });
  t.after(async () => {
    await app.close();
    server.close();
  });
  return { app, seen: server.seen };
}

/** One after the other, so that each sees what the one before has done to the circuit. */
async function inTurn<T>(times: number, call: () => PromiseLike<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let index = 0; index < times; index += 1) answers.push(await call());
  return answers;
}
