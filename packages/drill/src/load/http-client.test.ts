import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type Answer, httpClient } from './http-client.ts';

describe('the HTTP client of a drill', () => {
  test('sends a form as curl does and reads a JSON answer', async (t) => {
    const baseUrl = await serve(t, (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { method, url, headers } = request;
        response.writeHead(202).end(JSON.stringify([method, url, headers['content-type'], body]));
      });
    });

    const form = { username: 'admin', password: 'a b&c' };
    const answer = await ask(t, baseUrl, { method: 'POST', path: '/auth?x=1', form });

    const type = 'application/x-www-form-urlencoded';
    assert.deepEqual(
      [answer.status, JSON.parse(answer.text), answer.json],
      [202, ['POST', '/auth?x=1', type, 'username=admin&password=a+b%26c'], {}],
    );
  });

  test('knows that nobody was reached when the connection is refused', async (t) => {
    const baseUrl = await serve(t, () => {});
    const { port } = new URL(baseUrl);
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const free = (closed.address() as AddressInfo).port;
    closed.close();
    await once(closed, 'close');

    const answer = await ask(t, baseUrl.replace(port, String(free)), { path: '/' });

    assert.deepEqual([answer.status, answer.reached], [0, false]);
  });

  test('gives up at the deadline, and whether somebody was reached stays open', async (t) => {
    const baseUrl = await serve(t, () => {});

    const answer = await ask(t, baseUrl, { path: '/', deadlineMs: 20 });

    assert.deepEqual(
      [answer.status, answer.reached, answer.problem],
      [0, true, 'no answer within 20 ms'],
    );
  });

  test('takes half an answer for none', async (t) => {
    const baseUrl = await serve(t, (_request, response) => {
      response.writeHead(200);
      response.write('{"half":', () => response.destroy());
    });

    const answer = await ask(t, baseUrl, { path: '/' });

    assert.deepEqual([answer.status, answer.text, answer.reached], [0, '', true]);
    assert.notEqual(answer.problem, undefined);
  });

  test('takes an answer that is too long for none', async (t) => {
    const baseUrl = await serve(t, (_request, response) => response.end('x'.repeat(1_001)));
    const client = httpClient({ baseUrl, maxBodyBytes: 1_000 });
    t.after(() => client.close());

    const answer = await client.send({ path: '/' });

    assert.deepEqual([answer.status, answer.problem], [0, 'a body longer than 1000 bytes']);
  });

  test('ends at once when the drill is interrupted', async (t) => {
    const baseUrl = await serve(t, () => {});
    const client = httpClient({ baseUrl });
    t.after(() => client.close());
    const interrupt = new AbortController();

    const asking = client.send({ path: '/' }, interrupt.signal);
    interrupt.abort();

    assert.equal((await asking).status, 0);
  });
});

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(
  t: TestContext,
  baseUrl: string,
  request: Parameters<ReturnType<typeof httpClient>['send']>[0],
): Promise<Answer> {
  const client = httpClient({ baseUrl });
  t.after(() => client.close());
  return client.send(request);
}
