import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createGunzip, gzipSync } from 'node:zlib';
import fastify from 'fastify';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { acceptRequest } from './accept-request.ts';
import { resolveEdgeOptions } from './edge-options.ts';
import { expressEdge } from './express-edge.ts';
import { fastifyEdge } from './fastify-edge.ts';
import { nodeEdge } from './node-edge.ts';
import { type Express, express4, express5, listen } from './testing/edge-hosts.ts';

const JSON_TYPE = 'application/json';
const ODD = '{ "a" : 1 }';

for (const [name, express] of Object.entries({ 'express 4': express4, 'express 5': express5 })) {
  test(`${name}: what a body parser has left of the body is kept, and said to be what it is`, async (t) => {
    const behind = (parser: unknown) => behindParser(t, express, parser);
    const bytes = (request: { rawBody?: unknown }, _response: unknown, body: Buffer) => {
      request.rawBody = body;
    };
    assert.deepEqual(
      {
        json: await (await behind(express.json()))(ODD, JSON_TYPE),
        verified: await (await behind(express.json({ verify: bytes })))(ODD, JSON_TYPE),
        raw: await (await behind(express.raw({ type: '*/*' })))(ODD, JSON_TYPE),
        text: await (await behind(express.text()))(
          Buffer.from('\xe9', 'latin1'),
          'text/plain; charset=iso-8859-1',
        ),
        form: await (await behind(express.urlencoded({ extended: false })))(
          'a=1',
          'application/x-www-form-urlencoded',
        ),
        // Parsed by nobody, although Express 4 says that its body is {}.
        other: await (await behind(express.json()))('<a/>', 'text/xml'),
        unzipped: await (await behind(express.json()))(gzipSync(ODD), JSON_TYPE, 'gzip'),
        large: await (await behind(express.json()))(`["${'x'.repeat(1_000)}"]`, JSON_TYPE),
      },
      {
        json: ['{"a":1}', { 'content-type': JSON_TYPE }],
        verified: [ODD, { 'content-type': JSON_TYPE }],
        raw: [ODD, { 'content-type': JSON_TYPE }],
        text: ['é', { 'content-type': 'text/plain; charset=utf-8' }],
        form: ['{"a":"1"}', { 'content-type': JSON_TYPE }],
        other: ['<a/>', { 'content-type': 'text/xml' }],
        unzipped: ['{"a":1}', { 'content-type': JSON_TYPE }],
        large: [413],
      },
    );
  });

  test(`${name}: an edge that is mounted knows where it is; what it cannot answer goes on`, async (t) => {
    const outbox = await openOutbox({ store: memoryStore() });
    const app = express();
    const boom = () => {
      throw new Error('boom');
    };
    app.use('/api', expressEdge({ outbox, topic: 'a' }));
    app.use('/bad', expressEdge({ outbox, topic: boom }));
    app.use(
      (error: Error, _request: unknown, response: { end(text: string): void }, _next: unknown) =>
        response.end(error.message),
    );
    const port = await listen(t, createServer(app));
    const post = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x' });

    const answer = await post('/api/process');
    const { id } = (await answer.json()) as { id: string };
    assert.equal(answer.headers.get('location'), `/api/process/${id}`);
    const seen = await fetch(new URL(answer.headers.get('location')!, answer.url));
    assert.equal(seen.status, 200);
    assert.equal(await (await post('/bad/process')).text(), 'boom');
    assert.equal((await post('/api/other')).status, 404);
  });
}

test('fastify: the edge reads bytes, whatever parsers the application has, under its prefix', async (t) => {
  const outbox = await openOutbox({ store: memoryStore() });
  const app = fastify({ bodyLimit: 10 });
  app.addContentTypeParser('text/xml', { parseAs: 'string' }, (_request, _body, done) =>
    done(new Error('not for the edge')),
  );
  app.addHook('preParsing', async (request, _reply, payload) =>
    request.headers['x-zipped'] === 'yes' ? payload.pipe(createGunzip()) : payload,
  );
  await app.register(fastifyEdge({ outbox, topic: 'a' }), { prefix: '/api' });
  await app.register(fastifyEdge({ outbox, topic: 'a', maxBodyBytes: 20 }), { prefix: '/small' });
  app.post('/other', (request) => request.body);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const post = (path: string, type: string, body: string | Uint8Array<ArrayBuffer>, more = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...more },
    });

  const answers = [
    await post('/api/process', JSON_TYPE, ODD),
    await post('/api/process', 'text/xml', '<a/>'),
    await post('/api/process', JSON_TYPE, new Uint8Array(gzipSync(ODD)), { 'x-zipped': 'yes' }),
    // A bomb: small on the wire.
    await post('/small/process', JSON_TYPE, new Uint8Array(gzipSync('x'.repeat(1_000_000))), {
      'x-zipped': 'yes',
    }),
    await app.inject({ method: 'POST', url: '/api/process', payload: 'injected' }),
  ];
  const statuses = answers.map((answer) =>
    'statusCode' in answer ? answer.statusCode : answer.status,
  );
  assert.deepEqual(statuses, [202, 202, 202, 413, 202]);
  const location = (answers[0] as Response).headers.get('location')!;
  assert.match(location, /^\/api\/process\/[0-9a-f-]{36}$/);
  assert.equal((await app.inject(location)).statusCode, 200);
  assert.deepEqual(await (await post('/other', JSON_TYPE, '{"b":1}')).json(), { b: 1 });
  assert.deepEqual(
    (await outbox.waiting()).messages.map(({ body }) => String(body)),
    [ODD, '<a/>', ODD, 'injected'],
  );
});

test('no framework at all: bytes in hand are enough', async () => {
  const outbox = await openOutbox({ store: memoryStore() });
  const options = resolveEdgeOptions({
    outbox,
    topic: 'a',
    status: async (id) => (id === '7' ? { state: 'paid', deliveries: 2 } : undefined),
  });
  const ask = async (method: string, url: string, body?: Uint8Array) => {
    const answer = await acceptRequest(options, { method, url, headers: {}, body, raw: undefined });
    return answer && `${answer.status} ${answer.body}`;
  };
  assert.deepEqual(
    [
      (await ask('POST', '/process', new Uint8Array(3)))?.slice(0, 23),
      await ask('GET', '/process/7'),
      await ask('GET', '/elsewhere'),
    ],
    ['202 {"status":"accepted', '200 {"id":"7","status":"paid","deliveries":2}', undefined],
  );
});

test('node: a mistake of the service is 500, heard of, and none of the client’s business', async (t) => {
  const outbox = await openOutbox({ store: memoryStore() });
  const heard: unknown[] = [];
  const topic = () => {
    throw new Error('a secret');
  };
  const onProblem = (error: unknown) => {
    heard.push(String(error));
    throw new Error('a listener with a mistake');
  };
  const port = await listen(t, createServer(nodeEdge({ outbox, topic, onProblem })));
  const answer = await fetch(`http://127.0.0.1:${port}/process`, { method: 'POST', body: 'x' });
  assert.deepEqual(
    [answer.status, await answer.text(), heard],
    [500, '{"error":"The request failed."}', ['Error: a secret']],
  );
});

test('express: a body that was read and thrown away is an error of the one who mounted it so', async (t) => {
  const outbox = await openOutbox({ store: memoryStore() });
  const app = express5();
  app.use((request: IncomingMessage, _response: unknown, next: () => void) => {
    request.resume().on('end', () => next());
  });
  app.use(expressEdge({ outbox, topic: 'a' }));
  app.use(
    (error: Error, _request: unknown, response: { end(text: string): void }, _next: unknown) =>
      response.end(error.message),
  );
  const port = await listen(t, createServer(app));
  const answer = await fetch(`http://127.0.0.1:${port}/process`, { method: 'POST', body: 'x' });
  assert.match(await answer.text(), /^The body was read before it came to the edge/);
});

/** Posts to an edge behind a parser: the event kept and its headers, or the status that refused it. */
async function behindParser(t: TestContext, express: Express, parser: unknown) {
  const outbox = await openOutbox({ store: memoryStore() });
  const app = express();
  app.use(parser);
  app.use(expressEdge({ outbox, topic: 'a', maxBodyBytes: 500 }));
  const port = await listen(t, createServer(app));
  return async (body: string | Buffer<ArrayBuffer>, type: string, encoding?: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/process`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) },
    });
    const [message] = (await outbox.waiting()).messages;
    return message === undefined ? [answer.status] : [String(message.body), message.headers];
  };
}
