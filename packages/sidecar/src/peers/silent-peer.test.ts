import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { tcpProxy } from '@holdfast/messaging/testing';
import { until } from '@holdfast/test-servers';
import type { Upstream } from '../flow/answer.ts';
import { framePeerTransport } from './frame-transport.ts';
import { listenForPeers } from './listen-for-peers.ts';
import { IN_THE_CLEAR, type PeerSecurity } from './peer-security.ts';

const MAX_BODY_BYTES = 1024;
const idle = { pause() {}, resume() {}, abort() {} };

test('a connection that leads nowhere takes no more calls after some seconds, and those on it fail', async (t) => {
  const { clock, proxy, send } = await leg(t, well);
  await send('POST');
  // The look after the last call finds nobody who waits.
  await clock.advance(2_000);
  proxy.silence();
  const lost = Promise.allSettled([send('POST'), send('GET')]);

  await clock.advance(6_000);
  const next = await send('POST');
  await clock.advance(14_000);

  assert.equal(next, 200);
  const said =
    'rpc error: code = Unavailable desc = keepalive ping failed to receive ACK within timeout';
  assert.deepEqual(
    (await lost).map((one) => one.status === 'rejected' && [one.reason.code, one.reason.message]),
    // What may have been done is not done again.
    [
      ['BROKEN', said],
      ['UNREACHABLE', said],
    ],
  );
});

test('a call that takes its time goes on while the other side says that it is there', async (t) => {
  const answer: (() => void)[] = [];
  const { clock, send, sockets } = await leg(t, {
    send(call, sink) {
      answer.push(() => void well.send(call, sink));
      return idle;
    },
  });
  const slow = send('POST');
  await until('it has arrived', () => answer.length === 1);
  const heard = () => sockets[0]!.bytesRead;

  for (let asked = 0; asked < 15; asked += 1) {
    const before = heard();
    await clock.advance(2_000);
    await until('it has said that it is there', () => heard() > before);
    await clock.advance(2_000);
  }
  answer[0]!();

  assert.equal(await slow, 200);
});

const well: Upstream = {
  send(_call, sink) {
    sink.head(200, [], idle);
    sink.end(null);
    return idle;
  },
};

/** A caller's end whose time passes when it is told to, and a callee behind a proxy. */
async function leg(t: TestContext, callee: Upstream) {
  const clock = new VirtualClock();
  const at = { host: '127.0.0.1', port: 0, maxBodyBytes: MAX_BODY_BYTES, clock: systemClock };
  const server = await listenForPeers(callee, at);
  const proxy = await tcpProxy(server.port);
  const sockets: Socket[] = [];
  const security: PeerSecurity = {
    ...IN_THE_CLEAR,
    dial(to, expected) {
      const dialling = IN_THE_CLEAR.dial(to, expected);
      sockets.push(dialling.socket);
      return dialling;
    },
  };
  const transport = framePeerTransport({ clock, maxBodyBytes: MAX_BODY_BYTES, security });
  t.after(async () => {
    await transport.close();
    await proxy.close();
    server.close();
  });
  const upstream = transport.to(`127.0.0.1:${proxy.port}`);
  const send = (method: string) =>
    new Promise<number>((resolve, reject) => {
      let status = 0;
      upstream.send(
        { method, path: '/x', headers: [], body: null },
        {
          head(code) {
            status = code;
          },
          data() {},
          end: () => resolve(status),
          fail: reject,
        },
      );
    });
  return { clock, proxy, send, sockets };
}
