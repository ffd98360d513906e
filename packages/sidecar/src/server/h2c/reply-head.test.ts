import assert from 'node:assert/strict';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { replyHead, takesLists } from './reply-head.ts';

test('a head is a list where Node takes one, and an object where it does not', () => {
  assert.deepEqual(
    ['20.19.0', '22.20.0', '24.6.9', '24.7.0', '24.21.0', '25.0.0'].map(takesLists),
    [false, false, false, true, true, true],
  );
  const headers = ['a', '1', 'set-cookie', 'x', 'set-cookie', 'y'];
  assert.deepEqual(replyHead(204, headers, true), [':status', '204', ...headers]);
  assert.deepEqual(replyHead(204, headers, false), {
    ':status': 204,
    a: '1',
    'set-cookie': ['x', 'y'],
  });
});

test('either is the same to the client', async (t) => {
  const forms = takesLists(process.versions.node) ? [true, false] : [false];
  const headers = ['a', '1', 'set-cookie', 'x', 'set-cookie', 'y', 'b', '2', 'a', '3'];
  const server = http2.createServer();
  t.after(() => server.close());
  server.on('stream', (stream, { ':path': path }) => {
    stream.respond(replyHead(404, [...headers], path === '/true'), { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => client.close());
  for (const form of forms) {
    const stream = client.request({ ':path': `/${form}` });
    const [given] = await new Promise<http2.IncomingHttpHeaders[]>((resolve) =>
      stream.once('response', (...all) => resolve(all as never)).resume(),
    );
    const { date, ...others } = given as Record<string, unknown>;
    assert.equal(typeof date, 'string');
    assert.deepEqual(
      // Node keeps more than headers there, under a symbol.
      Object.fromEntries(Object.entries(others)),
      { ':status': 404, a: '1, 3', 'set-cookie': ['x', 'y'], b: '2' },
    );
  }
});
