import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { until } from '@holdfast/test-servers';
import type { AnswerSink, OutgoingCall, Upstream } from '../flow/answer.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { HEAD, LAST, PREFACE } from './frame-format.ts';
import { framePeerTransport } from './frame-transport.ts';
import { listenForPeers } from './listen-for-peers.ts';

const call: OutgoingCall = {
  method: 'POST',
  path: '/x?y=1',
  headers: ['a', '1', 'b', ''],
  body: null,
};
const idle = { pause() {}, resume() {}, abort() {} };

describe('the leg between sidecars', () => {
  test('carries verb, path, headers and body there, and status, headers and body back', async (t) => {
    const seen: unknown[] = [];
    const { send } = await leg(t, {
      send({ method, path, headers, body }, sink) {
        seen.push([method, path, headers, String(body)]);
        sink.head(201, ['c', 'd', 'set-cookie', 'x=\u00e9'], idle);
        sink.end(Buffer.from('answer'));
        return idle;
      },
    });

    const answer = await send({ ...call, body: Buffer.from('body') });

    assert.deepEqual(seen, [['POST', '/x?y=1', ['a', '1', 'b', ''], 'body']]);
    assert.deepEqual(answer, {
      status: 201,
      headers: ['c', 'd', 'set-cookie', 'x=\u00e9'],
      body: 'answer',
    });
  });

  test('carries many calls at once and mixes up none', async (t) => {
    const { send } = await leg(t, {
      send({ path }, sink) {
        setTimeout(() => {
          sink.head(200, [], idle);
          sink.data(Buffer.from(path.slice(0, 3)));
          sink.end(Buffer.from(path.slice(3)));
        }, path.length % 7);
        return idle;
      },
    });
    const paths = Array.from({ length: 3_000 }, (_, at) => `/call/${'x'.repeat(at % 50)}${at}`);

    const answers = await Promise.all(paths.map((path) => send({ ...call, path })));

    assert.deepEqual(
      answers.map(({ body }) => body),
      paths,
    );
  });

  test('says what the callee’s sidecar says, as an error', async (t) => {
    const { send } = await leg(t, {
      send(_call, sink) {
        sink.fail(new UpstreamError('REFUSED', 'app channel is not initialized'));
        return idle;
      },
    });

    await assert.rejects(send(call), {
      code: 'REFUSED',
      message: 'rpc error: code = Internal desc = app channel is not initialized',
    });
  });

  test('a half answer that fails is no answer', async (t) => {
    const { send } = await leg(t, {
      send(_call, sink) {
        sink.head(200, [], idle);
        sink.data(Buffer.from('half'));
        setTimeout(() => sink.fail(new Error('died')), 10);
        return idle;
      },
    });

    await assert.rejects(send(call), { code: 'BROKEN' });
  });

  test('a peer that is not there is unreachable; one that hangs up is broken, or may be tried again', async (t) => {
    let arrived = 0;
    const { send, close } = await leg(t, {
      send() {
        arrived += 1;
        return idle;
      },
    });
    const post = send(call);
    const get = send({ ...call, method: 'GET' });
    await until('both have arrived', () => arrived === 2);
    close();
    const errors = [await failure(post), await failure(get), await failure(send(call))];

    assert.deepEqual(errors, ['BROKEN', 'UNREACHABLE', 'UNREACHABLE']);
  });

  test('whoever is no sidecar is hung up on', async (t) => {
    const { port } = await leg(t, { send: () => idle });
    const head = (text: string): Buffer => {
      const frame = Buffer.alloc(11 + text.length);
      frame.writeUInt32BE(0xffffff, 0);
      frame[4] = HEAD | LAST;
      return frame;
    };

    const ends = await Promise.all(
      [
        Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
        Buffer.concat([PREFACE, head('GET\n/')]),
        Buffer.concat([PREFACE, Buffer.from([0, 0, 0, 0, 9, 0, 0, 0, 1])]),
      ].map((bytes) => hungUp(port, bytes)),
    );

    assert.deepEqual(ends, ['hung up', 'hung up', 'hung up']);
  });
});

/** A server with `callee` behind it and a transport that reaches it. */
async function leg(t: TestContext, callee: Upstream) {
  const server = await listenForPeers(callee, {
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 4_194_304,
  });
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(async () => {
    await transport.close();
    server.close();
  });
  const upstream = transport.to(`127.0.0.1:${server.port}`);
  return {
    port: server.port,
    close: () => server.close(),
    send: (outgoing: OutgoingCall) =>
      new Promise<{ status: number; headers: readonly string[]; body: string }>(
        (resolve, reject) => {
          let status = 0;
          let headers: readonly string[] = [];
          const chunks: Buffer[] = [];
          const sink: AnswerSink = {
            head(code, given) {
              status = code;
              headers = given;
            },
            data: (chunk) => void chunks.push(chunk),
            end(last) {
              if (last !== null) chunks.push(last);
              resolve({ status, headers, body: Buffer.concat(chunks).toString() });
            },
            fail: reject,
          };
          upstream.send(outgoing, sink);
        },
      ),
  };
}

const failure = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => 'answered',
    (error: { code?: string }) => error.code,
  );

function hungUp(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.resume().on('error', () => {});
    socket.on('close', () => resolve('hung up'));
  });
}
