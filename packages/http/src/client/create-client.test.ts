import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { isPolicyError, type Policy, pipeline, retry, timeout } from '@holdfast/core';
import { httpRetryRules } from '../status-rules.ts';
import { createClient, type RequestOptions } from './create-client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ok: Answer = (_request, response) => response.end('ok');
const unavailable: Answer = (_request, response) => response.writeHead(503).end('later');
/** An error page of which the end never comes. */
const endless: Answer = (_request, response) => {
  response.writeHead(503).write('x'.repeat(200_000));
};
const reset: Answer = (request) => request.socket.destroy();
const hang: Answer = () => {};

const soon = retry({ ...httpRetryRules, maxRetries: 3, delayMs: 1, jitter: 'none' });

describe('http client', () => {
  test('a server that answers 503 twice is asked three times', async (t) => {
    const { ask, seen } = await setUp(t, [unavailable, unavailable, ok]);

    assert.equal(await ask('/orders?x=1'), '200 ok');
    assert.deepEqual(
      seen.map(({ line }) => line),
      Array.from({ length: 3 }, () => 'GET /api/orders?x=1'),
    );
  });

  test('an error page without an end costs its connection, not the call', {
    timeout: 20_000,
  }, async (t) => {
    const { ask, cut } = await setUp(t, [endless, ok]);

    assert.equal(await ask('/x'), '200 ok');
    await cut;
  });

  test('when retries are used up the last answer is the answer', async (t) => {
    const { ask, seen } = await setUp(t, [unavailable]);

    assert.deepEqual([await ask('/x'), seen.length], ['503 later', 4]);
  });

  test('a connection that is reset is tried again', async (t) => {
    const { ask } = await setUp(t, [reset, ok]);

    assert.equal(await ask('/x'), '200 ok');
  });

  test('a POST is sent once, unless the caller knows better', async (t) => {
    const once = await setUp(t, [unavailable, ok]);
    const twice = await setUp(t, [unavailable, ok]);
    const json = { n: 1 };

    assert.equal(await once.ask('/x', { json }), '503 later');
    assert.equal(await twice.ask('/x', { json, idempotent: true }), '200 ok');
    const post = { line: 'POST /api/x', type: 'application/json', body: '{"n":1}' };
    assert.deepEqual(
      [once.seen, twice.seen].map((all) =>
        all.map(({ line, type, body }) => ({ line, type, body })),
      ),
      [[post], [post, post]],
    );
  });

  test('a server that hangs is left at the time-out, and told how long it had', async (t) => {
    const { ask, seen } = await setUp(t, [hang], [timeout({ limitMs: 1_000 })]);

    assert.equal(await ask('/x'), 'TIMED_OUT');
    const toldMs = Number(seen[0]!.deadline);
    assert.ok(toldMs > 0 && toldMs <= 1_000, `${toldMs}`);
  });

  test('the caller’s deadline travels to the callee, less what was used', async (t) => {
    const { ask, seen } = await setUp(t, [unavailable, ok]);
    await ask('/x', { deadlineMs: 5_000 });

    const [first, second] = seen.map(({ deadline }) => Number(deadline));
    assert.ok(first! <= 5_000 && second! < first! && second! > 0, `${first}, ${second}`);
  });

  test('Retry-After is waited for, and not past the deadline', async (t) => {
    const busy: Answer = (_request, response) =>
      response.writeHead(429, { 'retry-after': '3' }).end('busy');
    const { ask, seen } = await setUp(t, [busy, ok]);

    // Three seconds are more than the caller has: the answer is passed on at once.
    assert.equal(await ask('/x', { deadlineMs: 2_000 }), '429 busy');
    assert.equal(seen.length, 1);
  });

  test('trace and headers go along; the request’s own headers win', async (t) => {
    const { ask, seen } = await setUp(t, [ok]);
    const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, state: 'v=1' };
    await ask('/x', { trace, headers: { 'x-who': 'request' } });

    const { traceparent, tracestate, who, what } = seen[0]!;
    assert.deepEqual(
      { traceparent, tracestate, who, what },
      {
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        tracestate: 'v=1',
        who: 'request',
        what: 'client',
      },
    );
  });

  test('a header of the request replaces the client’s, however either writes its name', async (t) => {
    const { ask, seen } = await setUp(t, [ok]);
    const headers = { 'X-Who': 'request', 'Content-Type': 'application/cloudevents+json' };
    await ask('/x', { json: {}, headers });

    const { type, who } = seen[0]!;
    assert.deepEqual({ type, who }, { type: 'application/cloudevents+json', who: 'request' });
  });

  test('a caller who gives up ends the request with the reason given', async (t) => {
    const { ask } = await setUp(t, [hang]);
    const caller = new AbortController();
    const asking = ask('/x', { signal: caller.signal });
    caller.abort(new Error('the user closed the page'));

    assert.equal(await asking, 'the user closed the page');
  });

  test('mistakes are the caller’s own, and named', async (t) => {
    const { ask } = await setUp(t, [ok]);

    assert.throws(() => createClient({ baseUrl: 'nowhere' }), TypeError);
    assert.equal(
      await ask('/x', { body: 'a', json: 1 }),
      'A request has either a body or json, not both.',
    );
  });

  test('a path stays with its service: one that led elsewhere took the client’s headers along', async (t) => {
    const { ask, seen } = await setUp(t, [ok]);
    for (const path of [
      'http://elsewhere.test/x',
      '/http://elsewhere.test/x',
      '\\\\elsewhere.test/x',
      'http://127.0.0.1:1/x',
    ]) {
      assert.match(await ask(path), /^A path .* must not lead to another origin, http:/, path);
    }
    assert.equal(seen.length, 0);
    assert.equal(await ask('//elsewhere.test/x'), '200 ok');
    assert.equal(await ask('x?to=http://elsewhere.test/'), '200 ok');
    assert.deepEqual(
      seen.map(({ line }) => line),
      ['GET /api/elsewhere.test/x', 'GET /api/x?to=http://elsewhere.test/'],
    );
  });
});

/** A server that gives `answers` in turn, the last one for ever, and a client in front of it. */
async function setUp(
  t: TestContext,
  answers: readonly Answer[],
  policies: readonly Policy[] = [soon],
) {
  const seen: Record<string, string | number | undefined>[] = [];
  let hungUp = () => {};
  /** Resolves when the client closes a connection before its answer is complete. */
  const cut = new Promise<void>((resolve) => {
    hungUp = resolve;
  });
  const server = createServer(async (request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)]!;
    response.once('close', () => !response.writableFinished && hungUp());
    const { headers, method, url } = request;
    const entry: Record<string, string | number | undefined> = {
      line: `${method} ${url}`,
      type: headers['content-type'],
      deadline: String(headers['holdfast-deadline-ms']),
      traceparent: String(headers.traceparent),
      tracestate: String(headers.tracestate),
      who: String(headers['x-who']),
      what: String(headers['x-what']),
    };
    seen.push(entry);
    entry.body = (await request.toArray().catch(() => [])).join('');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });

  const { port } = server.address() as AddressInfo;
  const client = createClient({
    baseUrl: `http://127.0.0.1:${port}/api`,
    pipeline: pipeline('test', policies, { registry: undefined }),
    headers: { 'x-who': 'client', 'x-what': 'client' },
  });
  /** `status body` of the answer, or what the error says. */
  const ask = async (path: string, options?: RequestOptions): Promise<string> => {
    try {
      const response = await client.request(path, options);
      return `${response.status} ${await response.text()}`;
    } catch (error) {
      return isPolicyError(error) ? error.code : (error as Error).message;
    }
  };
  return { ask, seen, cut };
}
