import assert from 'node:assert/strict';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { tcpProxy } from '@holdfast/messaging/testing';
import { until } from '@holdfast/test-servers';
import { GrpcSessions } from './grpc-sessions.ts';

test('calls that wait for each other all reach the server, over as few connections as it takes', async (t) => {
  const { begin, connections } = await serve(t);

  await begin(1);
  await begin(150);

  assert.equal(connections(), 2);
});

test('a server that allows fewer calls on a connection gets more connections', async (t) => {
  const { begin, connections } = await serve(t, 2);

  await begin(1);
  await begin(4);

  assert.equal(connections(), 3);
});

test('connections that nobody needs any more are closed, all but one', async (t) => {
  const { answer, begin, clock, closed, connections } = await serve(t);
  await begin(1);
  await begin(150);

  await answer();
  const oneClosed = closed(1);
  await clock.run(() => clock.sleep(200_000));
  await oneClosed;
  await begin(1);

  assert.equal(connections(), 1);
});

test('a connection to another machine that leads nowhere takes no more calls, and then fails those on it', async (t) => {
  const { clock, connections, port } = await serve(t);
  const proxy = await tcpProxy(port);
  t.after(() => proxy.close());
  const client = new GrpcSessions('http://far', clock, {
    dial: () => connect(proxy.port, '127.0.0.1'),
  });
  t.after(() => client.close());
  const lost = client.request({ ':method': 'POST', ':path': '/' }).resume();
  const failure = new Promise<Error>((resolve) => lost.once('error', resolve));

  await until('it is there', () => connections() === 1);
  await clock.advance(2_000);
  proxy.silence();

  await clock.advance(12_000);
  const next = client.request({ ':method': 'POST', ':path': '/' }).resume();
  next.on('error', () => {});
  await until('the next goes over another', () => connections() === 2);
  await clock.advance(30_000);

  const { cause, message } = await failure;
  assert.match(String(cause ?? message), /keepalive ping failed/);
});

test('a call that takes its time goes on, and nobody is sent a PING: gRPC’s servers hang up after a few', async (t) => {
  const { clock, connections, pings, port } = await serve(t);
  const sockets: Socket[] = [];
  const client = new GrpcSessions('http://far', clock, {
    dial() {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      return socket;
    },
  });
  t.after(() => client.close());
  const slow = client.request({ ':method': 'POST', ':path': '/' }).resume();
  slow.on('error', () => {});
  await until('it is there', () => connections() === 1);

  for (let asked = 0; asked < 15; asked += 1) {
    const before = sockets[0]!.bytesRead;
    // Asked in the first or the second, as something has come since the look before.
    await clock.advance(4_000);
    await until('the server has said something', () => sockets[0]!.bytesRead > before);
  }

  assert.deepEqual([slow.closed, pings(), sockets.length], [false, 0, 1]);
});

/** A server that keeps calls waiting until `answer`. */
async function serve(t: TestContext, maxConcurrentStreams = 1_000) {
  const clock = new VirtualClock();
  const sessions = new Set<ServerHttp2Session>();
  const waiting: ServerHttp2Stream[] = [];
  let gone = 0;
  let pinged = 0;
  let look = () => {};
  const server = http2.createServer({ settings: { maxConcurrentStreams } });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('ping', () => {
      pinged += 1;
    });
    session.on('close', () => {
      sessions.delete(session);
      gone += 1;
      look();
    });
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    waiting.push(stream);
    stream.on('error', () => {});
    look();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new GrpcSessions(`http://127.0.0.1:${port}`, clock);
  t.after(() => {
    client.close();
    server.close();
  });
  const told = (there: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => there() && resolve();
      look();
    });
  const ended: Promise<unknown>[] = [];
  return {
    clock,
    port,
    pings: () => pinged,
    connections: () => sessions.size,
    closed: (count: number) => told(() => gone >= count),
    /** Resolves when so many more calls are at the server. */
    begin(count: number) {
      const want = waiting.length + count;
      for (let at = 0; at < count; at += 1) {
        const stream = client.request({ ':method': 'POST', ':path': '/' });
        stream.on('error', () => {});
        stream.resume().end();
        ended.push(new Promise((resolve) => stream.once('close', resolve)));
      }
      return told(() => waiting.length >= want);
    },
    async answer() {
      for (const stream of waiting) {
        stream.respond();
        stream.end();
      }
      await Promise.all(ended);
    },
  };
}
