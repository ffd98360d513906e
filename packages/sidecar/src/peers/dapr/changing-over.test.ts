import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { freePort, until } from '@holdfast/test-servers';
import type { AnswerSink, Upstream } from '../../flow/answer.ts';
import { framePeerTransport } from '../frame-transport.ts';
import { listenForPeers } from '../listen-for-peers.ts';
import type { PeerCallee } from '../peer-transport.ts';
import { openDaprDoor } from './open-dapr-door.ts';

test('a sidecar that is replaced by one of the other kind is called as that one speaks', async (t) => {
  const port = await freePort();
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(() => transport.close());
  const upstream = transport.to(`127.0.0.1:${port}`);
  const seen: string[] = [];
  for (const start of [daprs, ours, daprs, ours]) {
    const there = await start(t, port);
    await until('it answers', async () => {
      const answer = await ask(upstream).catch(() => '');
      if (answer === '') return false;
      seen.push(answer);
      return true;
    });
    // Over what was dialled for the first.
    seen.push(await ask(upstream));
    await there.stop();
  }
  const one = ['over gRPC', 'over gRPC', 'over frames', 'over frames'];
  assert.deepEqual(seen, [...one, ...one]);
});

test('calls that come while nobody knows who is there all arrive, and one that was given up does not', async (t) => {
  const port = await freePort();
  const calls: string[] = [];
  await daprs(t, port, (path) => calls.push(path));
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(() => transport.close());
  const upstream = transport.to(`127.0.0.1:${port}`);
  const all = Array.from({ length: 20 }, (_, nth) => ask(upstream, `/${nth}`));
  const given = upstream.send(
    { method: 'GET', path: '/given-up', headers: [], body: null },
    { head() {}, data() {}, end() {}, fail() {} },
  );
  given.abort(new Error('nobody waits any more'));
  assert.deepEqual(new Set(await Promise.all(all)), new Set(['over gRPC']));
  assert.equal(calls.length, 20);
});

test('nobody at the address is unreachable, whatever was there before', async (t) => {
  const port = await freePort();
  const there = await daprs(t, port);
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(() => transport.close());
  const upstream = transport.to(`127.0.0.1:${port}`);
  assert.equal(await ask(upstream), 'over gRPC');
  await there.stop();
  await until('its connection is seen to have ended', async () => {
    const error = await ask(upstream).then(
      () => undefined,
      (reason: { code?: string; message: string }) => reason,
    );
    return error?.code === 'UNREACHABLE' && /connection refused/.test(error.message);
  });
});

const callee = (said: string, told: (path: string) => void = () => {}): PeerCallee => ({
  send({ path }, sink) {
    told(path);
    const flow = { pause() {}, resume() {}, abort() {} };
    queueMicrotask(() => {
      sink.head(200, ['x-said', said], flow);
      sink.end(Buffer.from(said));
    });
    return flow;
  },
});

/** A server of gRPC alone, as daprd's is: it speaks first, and knows nothing of frames. */
async function daprs(t: TestContext, port: number, told?: (path: string) => void) {
  const door = openDaprDoor({
    callee: callee('over gRPC', told),
    maxBodyBytes: 4_194_304,
    firstCallMs: 60_000,
    ended() {},
  });
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    door.take(socket, Buffer.alloc(0), undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.after(stop);
  return { stop };
}

async function ours(t: TestContext, port: number) {
  const server = await listenForPeers(callee('over frames'), {
    clock: systemClock,
    host: '127.0.0.1',
    port,
    maxBodyBytes: 4_194_304,
  });
  t.after(() => server.close());
  return {
    async stop() {
      server.close();
      await server.drain();
    },
  };
}

function ask(upstream: Upstream, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const sink: AnswerSink = {
      head() {},
      data: (chunk) => void chunks.push(chunk),
      end(last) {
        if (last !== null) chunks.push(last);
        resolve(Buffer.concat(chunks).toString());
      },
      fail: reject,
    };
    upstream.send({ method: 'GET', path, headers: [], body: null }, sink);
  });
}
