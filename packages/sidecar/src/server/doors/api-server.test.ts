import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { startApiServer } from './api-server.ts';

test('answers say of their connection only what HTTP does not imply', async (t) => {
  const ask = await serve(t);

  assert.deepEqual(
    [
      await ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
      await ask('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
      await ask('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n'),
      await ask('GET / HTTP/1.0\r\n\r\n'),
    ],
    [
      [],
      ['Connection: close'],
      ['Connection: keep-alive', 'Keep-Alive: timeout=60'],
      ['Connection: close'],
    ],
  );
});

test('a connection of which nothing is said is kept', async (t) => {
  const ask = await serve(t);

  const twice = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(2);
  assert.deepEqual(await ask(twice, 2), []);
});

test('an answer that begins while the server ends says that its connection ends, and it does', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>();
  const { close, drain, port } = await startApiServer({
    ...OPTIONS,
    onRequest: (_req, res) => asked.resolve(res),
  });
  t.after(close);
  const socket = net.connect(port, '127.0.0.1', () =>
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
  );
  const said = text(socket);
  const answer = await asked.promise;
  const drained = drain();
  answer.writeHead(200, ['content-length', '4']).end('done');

  assert.match(await said, /^HTTP\/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n/i);
  await drained;
});

const OPTIONS = {
  hosts: ['127.0.0.1'],
  port: 0,
  flag: '--port',
  maxHeaderBytes: 8_192,
  maxConnections: 10,
};

/** Sends bytes, and resolves with the answers’ headers about their connection. */
async function serve(t: TestContext) {
  const { close, port } = await startApiServer({
    ...OPTIONS,
    onRequest: (_req, res) => void res.writeHead(200, { 'content-length': 4 }).end('done'),
  });
  t.after(close);
  return (request: string, answers = 1) =>
    new Promise<readonly string[]>((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
      let text = '';
      socket.on('error', reject).on('data', (chunk) => {
        text += chunk.toString();
        if (text.split('done').length <= answers) return;
        socket.destroy();
        resolve(text.split('\r\n').filter((line) => /^(?:connection|keep-alive):/i.test(line)));
      });
    });
}
