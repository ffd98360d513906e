import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import {
  bulkhead,
  circuitBreaker,
  type Policy,
  pipeline,
  rateLimit,
  shed,
  timeout,
} from '@holdfast/core';
import { type Handle, type NodeHandlerOptions, nodeHandler } from './node-handler.ts';
import { refusalAnswer } from './refusal-answer.ts';

const never = () => new Promise<never>(() => {});

describe('a handler behind a pipeline', () => {
  test('answers as it likes, and knows its call', async (t) => {
    const w = await served(t, [timeout({ limitMs: 60_000 })], (request, response, call) => {
      response.writeHead(201).end(`${request.url} ${call.attempt} ${call.remainingMs <= 60_000}`);
    });
    assert.deepEqual(await w.get('/a'), { status: 201, text: '/a 1 true', retryAfter: null });
  });

  test('that throws is answered for with 500, and heard of; a listener that throws ends nothing', async (t) => {
    const heard: unknown[] = [];
    const handle = () => Promise.reject(new Error('a secret'));
    const onError = (error: unknown) => {
      heard.push(String(error));
      throw new Error('a mistake');
    };
    const w = await served(t, [], handle, { onError });
    const answer = await w.get('/');
    assert.deepEqual(
      [answer.status, answer.text, heard],
      [500, '{"error":"INTERNAL"}', ['Error: a secret']],
    );
  });

  test('is left behind by a time-out with 504, and may write late without harm', async (t) => {
    let writeLate = () => {};
    const w = await served(t, [timeout({ limitMs: 20 })], async (_request, response) => {
      await new Promise<void>((resolve) => {
        writeLate = resolve;
      });
      response.write('too late');
      response.end();
    });
    const { status, text } = await w.get('/');
    writeLate();
    assert.deepEqual([status, text], [504, '{"error":"TIMED_OUT"}']);
    assert.equal((await w.get('/')).status, 504);
  });

  test('is not called when the caller’s time is over, and refuses by key and by how much it matters', async (t) => {
    let calls = 0;
    const policies = [
      shed({ probe: { load: () => 100 } }),
      rateLimit({ limit: 1, intervalMs: 60_000 }),
    ];
    const handle: Handle = (_request, response) => {
      calls += 1;
      response.end('well');
    };
    const w = await served(t, policies, handle, {
      keyOf: ({ headers }) => headers['x-tenant']?.toString(),
      criticalityOf: ({ url }) => (url === '/report' ? 'sheddable' : 'critical'),
    });
    const of = (tenant: string) => w.get('/', { 'x-tenant': tenant });
    const seen = [
      await of('a'),
      await of('a'),
      await of('b'),
      await w.get('/report', { 'x-tenant': 'c' }),
      await w.get('/', { 'x-tenant': 'd', 'holdfast-deadline-ms': '0' }),
    ];
    assert.deepEqual(
      seen.map(({ status, text }) => `${status} ${text}`),
      [
        '200 well',
        '429 {"error":"RATE_LIMITED"}',
        '200 well',
        '503 {"error":"SHED"}',
        '504 {"error":"DEADLINE_EXCEEDED"}',
      ],
    );
    assert.ok(Number(seen[1]?.retryAfter) >= 1, 'when to come back');
    assert.equal(calls, 2);
  });

  test('ends when its client goes away, and gives its place back', async (t) => {
    let begun = () => {};
    const ended: unknown[] = [];
    const w = await served(t, [bulkhead({ limit: 1 })], (request, response, { signal }) => {
      if (request.url === '/next') return response.end('in');
      begun();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(String(signal.reason));
          reject(signal.reason);
        });
      });
    });
    const working = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const client = send(`${w.url}/hangs`);
    client.on('error', () => {});
    client.end();
    await working;
    client.destroy();
    let next = await w.get('/next');
    while (next.status === 503) next = await w.get('/next');
    assert.deepEqual([next.text, ended], ['in', ['Error: The client has gone away.']]);
  });

  test('that has begun its answer and fails has it broken off: half of it must not pass for the whole', async (t) => {
    const w = await served(t, [], (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      throw new Error('down');
    });
    await assert.rejects(w.get('/'));
  });
});

test('a refusal says when to come back, rounded up, and nothing of what is inside', async () => {
  const p = pipeline('p', [circuitBreaker({ consecutiveFailures: 1, openMs: 1_500 })], {
    registry: undefined,
  });
  await p.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  const error = await p.execute(never).catch((error: unknown) => error);
  assert.deepEqual(refusalAnswer(error), {
    status: 503,
    headers: { 'content-type': 'application/json', 'retry-after': '2' },
    body: '{"error":"CIRCUIT_OPEN"}',
  });
  assert.equal(refusalAnswer(new Error('down')), undefined);
});

async function served(
  t: TestContext,
  policies: readonly Policy[],
  handle: (...args: [...Parameters<Handle>]) => unknown,
  options?: NodeHandlerOptions,
) {
  const p = pipeline('served', policies, { registry: undefined });
  const server = createServer(nodeHandler(p, handle, options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async get(path: string, headers: Record<string, string> = {}) {
      const response = await fetch(url + path, { headers });
      const text = await response.text();
      return { status: response.status, text, retryAfter: response.headers.get('retry-after') };
    },
  };
}
