import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Cut, type TcpProxy, tcpProxy } from './tcp-proxy.ts';

test('passes on what is sent, both ways, in its order however it is delayed', async (t) => {
  const { proxy } = await echoBehind(t);
  const client = await opened(t, proxy);
  let got = '';
  client.on('data', (piece) => {
    got += piece;
  });
  proxy.delay(50);
  client.write('one ');
  await new Promise((resolve) => setImmediate(resolve));
  proxy.delay(0);
  client.write('two');
  while (got.length < 7) await once(client, 'data');

  assert.equal(got, 'one two');
});

for (const [cut, arrives] of [
  ['half-sent', 'AC'],
  ['unanswered', 'ACK!'],
] as const satisfies readonly (readonly [Cut, string])[]) {
  test(`resets a connection once, ${cut}, and passes on nothing more of it`, async (t) => {
    const { proxy, received } = await echoBehind(t);
    const client = await opened(t, proxy);
    const broken = new Promise((resolve) => client.once('close', resolve));
    const answers: string[] = [];
    client.on('data', (piece) => answers.push(String(piece)));
    const happened = proxy.cutOnce((piece) => piece.includes('ACK'), cut);
    client.write('ACK!');
    while (received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    client.write('more');
    await happened;
    await broken;
    const next = await opened(t, proxy);
    next.write('ACK!');
    const [answer] = await once(next, 'data');

    assert.deepEqual(
      { arrived: received.slice(0, -1), answers, afterwards: String(answer) },
      { arrived: [arrives], answers: [], afterwards: 'ACK!' },
    );
  });
}

test('follows a server that has moved', async (t) => {
  const { proxy } = await echoBehind(t);
  const elsewhere = await echoBehind(t);
  const client = await opened(t, proxy);
  const broken = new Promise((resolve) => client.once('close', resolve));
  proxy.target(elsewhere.port);
  await broken;
  const next = await opened(t, proxy);
  next.write('x');
  await once(next, 'data');

  assert.deepEqual(elsewhere.received, ['x']);
});

test('keeps the connections that are there where only new ones go elsewhere', async (t) => {
  const { proxy, received } = await echoBehind(t);
  const elsewhere = await echoBehind(t);
  const old = await opened(t, proxy);
  proxy.target(elsewhere.port, 'kept');
  const next = await opened(t, proxy);
  for (const client of [old, next]) {
    client.write('x');
    await once(client, 'data');
  }

  assert.deepEqual([received, elsewhere.received], [['x'], ['x']]);
});

test('passes nothing on over connections that it has forgotten, and those after them are well', async (t) => {
  const { proxy, received } = await echoBehind(t);
  const old = await opened(t, proxy);
  proxy.silence();
  old.write('old');
  const next = await opened(t, proxy);
  next.write('new');
  await once(next, 'data');

  assert.deepEqual([received, old.destroyed], [['new'], false]);
});

async function echoBehind(t: TestContext) {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      received.push(String(piece));
      socket.write(piece);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await tcpProxy(port);
  t.after(async () => {
    await proxy.close();
    server.close();
  });
  return { proxy, received, port };
}

async function opened(t: TestContext, { port }: TcpProxy) {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  t.after(() => client.destroy());
  await once(client, 'connect');
  return client;
}
