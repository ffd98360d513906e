import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startMesh } from '../testing/start-mesh.ts';

const document = (policies: string, target: string): string => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: own }
spec:
  policies:
${policies.trim().replaceAll(/^ */gm, '    ')}
  targets:
    apps: { callee: { ${target} } }
`;

describe('a rate limit', () => {
  test('counts the calls of all methods of an app, circuits per method or not', async (t) => {
    const app = counting();
    const resiliency = document(
      'rateLimits: { three: { limit: 3, interval: 1h } }\ncircuitBreakers: { calm: {} }',
      'rateLimit: three, circuitBreaker: calm',
    );
    const { url } = await startMesh(t, app.listener, { resiliency });

    const answers = [];
    for (const method of ['a', 'b', 'c', 'd']) answers.push(await ask(`${url}/${method}`));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 500],
    );
    const { message, headers } = answers[3]!;
    assert.deepEqual(
      [message, headers['holdfast-refused-by'], headers['retry-after'], app.calls.length],
      ['failed to invoke, id: callee, err: rate limit exceeded', 'three', '1200', 3],
    );
  });
});

describe('a bulkhead', () => {
  test('holds places for an app as a whole, circuits per method or not', async (t) => {
    const app = counting((_, res) => void app.held.push(res));
    const resiliency = document(
      'bulkheads: { one: { maxConcurrent: 1 } }\ncircuitBreakers: { calm: {} }\ntimeouts: { t: 30s }',
      'bulkhead: one, circuitBreaker: calm, timeout: t',
    );
    const { url } = await startMesh(t, app.listener, { resiliency });

    const first = ask(`${url}/a`);
    await until('the first call is in the application', () => app.held.length === 1);
    const second = await ask(`${url}/b`);
    app.held[0]!.end('done');

    assert.deepEqual(
      [second.message, (await first).status],
      ['failed to invoke, id: callee, err: bulkhead is full', 200],
    );
  });
});

describe('a hedge', () => {
  const resiliency = document('hedges: { soon: { delay: 50ms } }', 'hedge: soon');

  test('saves a call whose first attempt hangs, and gives that up', async (t) => {
    const aborted: string[] = [];
    const app = counting((req, res) => {
      if (app.calls.length > 1) return void res.end('second');
      res.on('close', () => void aborted.push(req.url!));
    });
    const { url } = await startMesh(t, app.listener, { resiliency });

    const answer = await ask(`${url}/x`);

    await until('the first attempt is given up', () => aborted.length > 0);
    assert.deepEqual(
      [answer.status, answer.text, answer.headers['holdfast-attempts'], aborted],
      [200, 'second', '2', ['/x']],
    );
  });

  test('is not for calls that may not be executed twice', async (t) => {
    const app = counting((_, res) => void setTimeout(() => res.end('first'), 200));
    const { url } = await startMesh(t, app.listener, { resiliency });

    const answer = await ask(`${url}/x`, { method: 'POST', body: '{}' });

    assert.deepEqual([answer.text, app.calls], ['first', ['POST /x']]);
  });

  test('ends with its client: no attempt is left behind', async (t) => {
    const closed: string[] = [];
    const app = counting((req, res) => void res.on('close', () => void closed.push(req.url!)));
    const { url } = await startMesh(t, app.listener, { resiliency });

    const client = new AbortController();
    const call = fetch(`${url}/x`, { signal: client.signal }).catch(() => 'gone');
    await until('both attempts are under way', () => app.calls.length === 2);
    client.abort();

    assert.equal(await call, 'gone');
    await until('both attempts have been given up', () => closed.length === 2);
  });
});

describe('a fallback', () => {
  const fallback =
    'fallbacks: { empty: { body: "[]", headers: { content-type: application/json, x-from: file } } }';

  test('stands in for the statuses it names, time-outs and open circuits, and says so', async (t) => {
    const app = counting((req, res) => {
      const status = Number(new URL(req.url!, 'http://a').searchParams.get('status'));
      if (status > 0) res.writeHead(status).end('mine');
    });
    const resiliency = document(
      `${fallback}\ntimeouts: { quick: 50ms }\ncircuitBreakers: { once: { trip: consecutiveFailures >= 1, matching: { httpStatusCodes: 500-599 } } }`,
      // A time-out for the call that never ends alone: on a busy machine another might reach it.
      'fallback: empty, circuitBreaker: once, methods: { "/slow": { timeout: quick } }',
    );
    const { url } = await startMesh(t, app.listener, { resiliency });

    const seen = [];
    for (const path of [
      'ok?status=200',
      'no?status=404',
      'bad?status=503',
      'bad?status=200',
      'slow',
    ]) {
      const { status, text, headers } = await ask(`${url}/${path}`);
      seen.push([path, status, text, headers['x-from'], headers['holdfast-degraded']]);
    }

    assert.deepEqual(seen, [
      ['ok?status=200', 200, 'mine', undefined, undefined],
      ['no?status=404', 404, 'mine', undefined, undefined],
      ['bad?status=503', 200, '[]', 'file', 'empty'],
      ['bad?status=200', 200, '[]', 'file', 'empty'],
      ['slow', 200, '[]', 'file', 'empty'],
    ]);
    assert.equal(app.calls.filter((call) => call.startsWith('GET /bad')).length, 1);
  });

  test('comes after all retries', async (t) => {
    const app = counting((_, res) => void res.writeHead(503).end());
    const resiliency = document(
      `${fallback}\nretries: { again: { duration: 1ms, maxRetries: 2 } }`,
      'fallback: empty, retry: again',
    );
    const { url } = await startMesh(t, app.listener, { resiliency });

    const { status, text, headers } = await ask(`${url}/x`, { method: 'PUT', body: 'b' });

    assert.deepEqual(
      [status, text, headers['holdfast-attempts'], app.calls.length],
      [200, '[]', '3', 3],
    );
  });
});

describe('a retry budget', () => {
  test('is one for the target, and outlives a reload', async (t) => {
    const app = counting((_, res) => void res.writeHead(503).end());
    const text = (wait: string) =>
      document(
        `retries: { again: { duration: ${wait}, maxRetries: 3, budget: { ratio: 0, minPerSecond: 0.002, window: 1000s } } }\ncircuitBreakers: { never: { trip: requests > 1000 } }`,
        'retry: again, circuitBreaker: never',
      );
    const { url, caller, write } = await startMesh(t, app.listener, { resiliency: text('1ms') });

    await ask(`${url}/a`);
    await write('resiliency.yaml', text('2ms'));
    await caller.reload();
    await ask(`${url}/b`);

    // Two retries in a thousand seconds: the first call had them both.
    assert.deepEqual(app.calls, ['GET /a', 'GET /a', 'GET /a', 'GET /b']);
  });
});

describe('methods', () => {
  test('have policies of their own: the most exact entry counts, the rest is the app’s', async (t) => {
    const app = counting((_, res) => void res.writeHead(503).end());
    const resiliency = document(
      'retries: { once: { duration: 1ms, maxRetries: 1 }, thrice: { duration: 1ms, maxRetries: 3 } }',
      'retry: once, methods: { "/orders/**": { retry: thrice }, "POST /orders": { retry: none } }',
    );
    const { url } = await startMesh(t, app.listener, { resiliency });

    const attempts = async (path: string, init?: RequestInit): Promise<number> => {
      const before = app.calls.length;
      await ask(`${url}/${path}`, init);
      return app.calls.length - before;
    };

    assert.deepEqual(
      [
        await attempts('other'),
        await attempts('orders'),
        await attempts('orders/1/lines?x=1'),
        await attempts('orders', { method: 'POST', body: '{}' }),
      ],
      [2, 4, 4, 1],
    );
  });

  test('share the rate of their app unless they name one, and keep their circuits over a reload', async (t) => {
    const app = counting((_, res) => void res.writeHead(503).end());
    const text = (wait: string) =>
      document(
        `rateLimits: { app: { limit: 5, interval: 1h }, own: { limit: 1, interval: 1h } }\ncircuitBreakers: { calm: { timeout: ${wait}, trip: consecutiveFailures >= 2 } }`,
        'rateLimit: app, methods: { "/shared": { circuitBreaker: calm }, "/own": { rateLimit: own } }',
      );
    const { url, caller, write } = await startMesh(t, app.listener, { resiliency: text('1h') });

    const said = async (path: string) => (await ask(`${url}/${path}`)).message?.split('err: ')[1];
    const before = [
      await said('own'),
      await said('own'),
      await said('shared'),
      await said('shared'),
    ];
    await write('resiliency.yaml', text('2h'));
    await caller.reload();
    const after = [
      await said('own'),
      await said('shared'),
      await said('other'),
      await said('other'),
      await said('other'),
    ];

    const open = 'circuit breaker is open';
    const over = 'rate limit exceeded';
    assert.deepEqual(before, [undefined, over, undefined, undefined]);
    // The refusal by the circuit took a place of the app's rate: the rate is outside of it.
    assert.deepEqual(after, [over, open, undefined, undefined, over]);
  });
});

interface Counted {
  readonly listener: (req: IncomingMessage, res: ServerResponse) => void;
  /** `GET /path?query`, in the order they came. */
  readonly calls: string[];
  readonly held: ServerResponse[];
}

function counting(
  answer: (req: IncomingMessage, res: ServerResponse) => void = (_, res) => void res.end('ok'),
): Counted {
  const calls: string[] = [];
  return {
    calls,
    held: [],
    listener(req, res) {
      if (req.url === '/dapr/subscribe' || req.url === '/dapr/config') {
        res.writeHead(404).end();
        return;
      }
      calls.push(`${req.method} ${req.url}`);
      req.resume();
      answer(req, res);
    },
  };
}

async function ask(url: string, init?: RequestInit) {
  const answer = await fetch(url, init);
  const text = await answer.text();
  const headers = Object.fromEntries(answer.headers);
  const message = /^\{"errorCode"/.test(text) ? (JSON.parse(text).message as string) : undefined;
  return { status: answer.status, text, headers, message };
}
