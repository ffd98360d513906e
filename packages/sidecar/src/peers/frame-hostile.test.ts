import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import type { Flow, Upstream } from '../flow/answer.ts';
import {
  DATA,
  HEAD,
  headText,
  LAST,
  MAX_FRAME_BYTES,
  PING,
  PREFACE,
  RESET,
} from './frame-format.ts';
import { framePeerTransport } from './frame-transport.ts';
import { listenForPeers } from './listen-for-peers.ts';

const idle: Flow = { pause() {}, resume() {}, abort() {} };
/** Answers at once, as an application that is well. */
const well: Upstream = {
  send(_call, sink) {
    queueMicrotask(() => {
      sink.head(200, ['x-a', '1'], idle);
      sink.end(Buffer.from('ok'));
    });
    return idle;
  },
};

test('whatever arrives on the internal port, calls of others are answered and memory stays', async (t) => {
  const { port, ask } = await server(t);
  const random = seededRandom(7);
  const byte = (): number => Math.floor(random.next() * 256);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, byte));
  const before = settledHeap();

  for (let round = 0; round < 300; round += 1) {
    const size = Math.floor(random.next() * 2_000);
    const kinds = [
      noise(size),
      Buffer.concat([PREFACE, noise(size)]),
      Buffer.concat([PREFACE, frame(byte(), byte(), noise(size))]),
      // Half a frame, and then nothing more.
      Buffer.concat([PREFACE, frame(HEAD, 1, head('GET\n/x')).subarray(0, 12)]),
      // Parts of a call that was never begun, and a head that is longer than its frame.
      Buffer.concat([PREFACE, frame(DATA, 5, noise(99)), frame(RESET, 5, Buffer.alloc(0))]),
      Buffer.concat([PREFACE, frame(HEAD | LAST, 1, Buffer.from([0xff, 0xff, 65]))]),
      // One call begun again and again, and one that is all line breaks.
      Buffer.concat([PREFACE, ...Array(20).fill(frame(HEAD, 1, head('POST\n/x')))]),
      Buffer.concat([PREFACE, frame(HEAD | LAST, 1, head('\n'.repeat(500)))]),
    ];
    await throwAt(port, kinds[round % kinds.length]!);
  }

  assert.equal(await ask(), 'ok');
  const grown = settledHeap() - before;
  assert.ok(grown < 16 * 1024 * 1024, `the heap grew by ${grown} bytes`);
});

test('a length beyond the limit ends the connection before anything is kept for it', async (t) => {
  const { port, ask } = await server(t);
  const huge = Buffer.alloc(9);
  huge.writeUInt32BE(MAX_FRAME_BYTES + 1, 0);
  huge[4] = HEAD;
  assert.equal(await untilClosed(port, Buffer.concat([PREFACE, huge])), 'closed');
  assert.equal(await ask(), 'ok');
});

test('who dials and says nothing is hung up on, and those beyond the limit at once', async (t) => {
  const { port, ask } = await server(t, { firstCallMs: 200, maxConnections: 50 });
  const silent = Array.from({ length: 500 }, () => untilClosed(port, Buffer.alloc(0)));
  assert.deepEqual(new Set(await Promise.all(silent)), new Set(['closed']));
  assert.equal(await ask(), 'ok');
});

test('who asks again and again whether we are there, and takes no answer, gets few', async (t) => {
  const { port, ask } = await server(t);
  const asks = Buffer.concat(Array(100_000).fill(frame(PING, 0, Buffer.alloc(0))));
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(Buffer.concat([PREFACE, frame(HEAD | LAST, 1, head('GET\n/x'))]));
  for (let round = 0; round < 80; round += 1) {
    await new Promise((resolve) => socket.write(asks, resolve));
  }
  assert.equal(await ask(), 'ok');

  let came = 0;
  socket.on('data', (bytes: Buffer) => {
    came += bytes.length;
  });
  socket.resume();
  let before = -1;
  await until('nothing more comes', () => {
    const rests = came > 0 && came === before;
    before = came;
    return rests;
  });
  // What the kernel keeps for either end, of 72 MB.
  assert.ok(came < 32 * 1024 * 1024, `${came} bytes were kept`);
});

test('an answer whose status is none fails its call and nothing else', async (t) => {
  const bad = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.write(PREFACE);
    socket.on('data', (bytes: Buffer) => {
      if (bytes.length < 20) return;
      const at = bytes.indexOf(PREFACE) === 0 ? PREFACE.length : 0;
      socket.write(frame(HEAD | LAST, bytes.readUInt32BE(at + 5), head('abc\nx-a')));
    });
  });
  await new Promise<void>((resolve) => bad.listen(0, '127.0.0.1', resolve));
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(async () => {
    await transport.close();
    bad.close();
  });
  const { port } = bad.address() as net.AddressInfo;
  await assert.rejects(call(transport.to(`127.0.0.1:${port}`)), { code: 'BROKEN' });
});

async function server(
  t: TestContext,
  options: { readonly firstCallMs?: number; readonly maxConnections?: number } = {},
) {
  const peers = await listenForPeers(well, {
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 4_194_304,
    ...options,
  });
  const transport = framePeerTransport({ clock: systemClock, maxBodyBytes: 4_194_304 });
  t.after(async () => {
    await transport.close();
    peers.close();
  });
  const { port } = peers;
  // Places are given back a moment after connections end.
  const ask = async (): Promise<string> => {
    let answer = '';
    await until('an answer', async () => {
      answer = await call(transport.to(`127.0.0.1:${port}`)).catch(() => '');
      return answer !== '';
    });
    return answer;
  };
  return { port, ask };
}

function call(to: Upstream): Promise<string> {
  return new Promise((resolve, reject) => {
    to.send(
      { method: 'GET', path: '/', headers: [], body: null },
      {
        head() {},
        data() {},
        end: (last) => resolve(String(last)),
        fail: reject,
      },
    );
  });
}

function frame(kind: number, id: number, payload: Buffer): Buffer {
  const start = Buffer.alloc(9);
  start.writeUInt32BE(payload.length, 0);
  start[4] = kind;
  start.writeUInt32BE(id, 5);
  return Buffer.concat([start, payload]);
}

function head(text: string): Buffer {
  const bytes = Buffer.from(headText(text, []), 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}

/** Sends the bytes and hangs up. */
function throwAt(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
    // Whoever is waiting for the rest of a frame need not hang up first.
    socket.on('finish', () => setTimeout(() => socket.destroy(), 5));
  });
}

function untilClosed(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => {}).on('close', () => resolve('closed'));
    socket.resume();
  });
}

function settledHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
