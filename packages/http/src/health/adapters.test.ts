import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import fastify from 'fastify';
import { expressHealth, fastifyHealth, nodeHealth } from './adapters.ts';
import { healthRoutes } from './health-routes.ts';

const down = () => {
  throw new Error('down');
};

/** What every adapter answers: method and path, then status, media type and the body's status. */
const EXPECTED = {
  'GET /health': '503 application/json; charset=utf-8 unhealthy',
  'GET /ready?verbose=1': '503 application/json; charset=utf-8 not ready',
  'GET /live': '200 application/json; charset=utf-8 alive',
  'HEAD /live': '200 application/json; charset=utf-8 ',
  'GET /orders': '404 none ',
};

test('node: the three paths are answered, everything else is left alone', async (t) => {
  const handle = nodeHealth(healthRoutes({ checks: { database: down } }));
  const ask = await serve(t, (request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });

  assert.deepEqual(await ask(), { ...EXPECTED, 'POST /live': '404 none ' });
});

test('express-style: the three paths are answered, everything else goes on', async (t) => {
  const middleware = expressHealth(healthRoutes({ checks: { database: down } }));
  const ask = await serve(t, (request, response) =>
    middleware(request, response, () => response.writeHead(404).end()),
  );

  assert.deepEqual(await ask(), { ...EXPECTED, 'POST /live': '404 none ' });
});

test('node: circuits that cannot be told are an answer, and no end of the process', async (t) => {
  const circuits = () => {
    throw new Error('no registry');
  };
  const handle = nodeHealth(healthRoutes({ circuits }));
  const ask = await serve(t, (request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  const answers = await ask();

  assert.equal(answers['GET /health'], '503 application/json; charset=utf-8 unhealthy');
  assert.equal(answers['GET /live'], '200 application/json; charset=utf-8 alive');
});

test('fastify: the three routes are added to a real instance', async (t) => {
  const app = fastify();
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());
  fastifyHealth(app, healthRoutes({ checks: { database: down } }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;

  assert.deepEqual(await askAll(port), { ...EXPECTED, 'POST /live': '404 none ' });
});

async function serve(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return () => askAll(port);
}

async function askAll(port: number): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const line of [...Object.keys(EXPECTED), 'POST /live']) {
    const [method = '', path] = line.split(' ');
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    const text = await response.text();
    const status = text.startsWith('{') ? JSON.parse(text).status : '';
    answers[line] =
      `${response.status} ${response.headers.get('content-type') ?? 'none'} ${status}`;
  }
  return answers;
}
