import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from './answer.ts';
import { HttpUpstream } from './http-upstream.ts';
import { PlainUpstream } from './plain-upstream.ts';
import type { UpstreamError } from './upstream-error.ts';

const GET: OutgoingCall = { method: 'GET', path: '/a?b=c', headers: ['x-one', '1'], body: null };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const long = 'x'.repeat(200_000);

/** What a server may write, in these pieces; `undefined` hangs up. */
const ANSWERS: readonly (readonly [string, readonly (string | undefined)[]])[] = [
  ['a short one', [OK]],
  [
    'no reason, names in capitals, a name twice',
    ['HTTP/1.1 200\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n'],
  ],
  ['bytes beyond ASCII', ['HTTP/1.1 200 OK\r\nx-a: \xe9\r\ncontent-length: 3\r\n\r\n\xe9\x00\xff']],
  [
    'a head and a body apart',
    ['HTTP/1.1 200 OK\r\ncontent-', 'length: 4\r\nx-a: b', 'c\r\n\r\nab', 'cd'],
  ],
  ['a long one', [`HTTP/1.1 200 OK\r\ncontent-length: ${long.length}\r\n\r\n`, long]],
  [
    'chunks and a trailer',
    [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n',
      '3\r\ncde\r\n0\r\nx-t: 1\r\n\r\n',
    ],
  ],
  ['until it hangs up', ['HTTP/1.1 200 OK\r\n\r\nabc', 'def', undefined]],
  ['version 1.0', ['HTTP/1.0 200 OK\r\n\r\nabc', undefined]],
  ['hints first', ['HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n', OK]],
  ['none of a body', ['HTTP/1.1 204 No Content\r\n\r\n']],
  ['a length of no body', ['HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n']],
  [
    'headers of the connection',
    [
      'HTTP/1.1 200 OK\r\nconnection: close, x-mine\r\nx-mine: 1\r\nkeep-alive: timeout=5\r\ncontent-length: 2\r\n\r\nok',
      undefined,
    ],
  ],
  ['a body cut off', ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab', undefined]],
  ['chunks cut off', ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab', undefined]],
  ['a head cut off', ['HTTP/1.1 200 OK\r\ncontent', undefined]],
  ['nothing', [undefined]],
  ['no HTTP', ['hello\r\n\r\n']],
  ['a line that goes on', ['HTTP/1.1 200 OK\r\nx-a: 1\r\n folded\r\ncontent-length: 2\r\n\r\nok']],
  [
    'a head that is too long',
    [`HTTP/1.1 200 OK\r\nx-a: ${'y'.repeat(17_000)}\r\ncontent-length: 2\r\n\r\nok`],
  ],
];

for (const [what, pieces] of ANSWERS) {
  test(`an answer reads as it does through undici: ${what}`, async (t) => {
    const origin = await serve(t, async (socket) => {
      for (const piece of pieces) {
        if (piece === undefined) socket.end();
        else socket.write(piece, 'latin1');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const mine = await ask(plain(t, origin), GET);
    assert.deepEqual(mine, await ask(undici(t, origin), GET));
  });
}

// undici takes it for a broken answer; Go's client, and so daprd, for the last of its connection.
for (const headers of ['', 'connection: upgrade\r\nupgrade: x\r\n']) {
  test(`another protocol unasked ends the call: "${headers.slice(0, 10)}"`, async (t) => {
    let connections = 0;
    const origin = await serve(t, (socket) => {
      connections += 1;
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
    });
    const upstream = plain(t, origin);
    for (const expected of [1, 2]) {
      const { status, body } = (await ask(upstream, GET)) as { status: number; body: string };
      assert.deepEqual([status, body, connections], [101, '', expected]);
    }
  });
}

for (const [what, head, why] of [
  ['two lengths', 'content-length: 2\r\ncontent-length: 3', 'Duplicate Content-Length'],
  [
    'a length and chunks',
    'content-length: 2\r\ntransfer-encoding: chunked',
    "Transfer-Encoding can't be present with Content-Length",
  ],
] as const) {
  test(`an answer that can be read in two ways is none, and the reason is told: ${what}`, async (t) => {
    const origin = await serve(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`));
    const failed = `BROKEN: Response does not match the HTTP/1.1 protocol (${why})`;
    assert.deepEqual(await ask(plain(t, origin), GET), { failed });
  });
}

const CALLS: readonly (readonly [string, Partial<OutgoingCall>])[] = [
  ['a verb alone', {}],
  [
    'a body',
    {
      method: 'POST',
      headers: ['content-length', '3', 'x-a', '\xe9'],
      body: Buffer.from([0, 255, 65]),
    },
  ],
  ['a long body', { method: 'PUT', body: Buffer.from(long) }],
  ['no body where one is usual', { method: 'POST' }],
  ['a length of 0', { method: 'DELETE', headers: ['content-length', '0'] }],
  ['a body where none is usual', { method: 'GET', body: Buffer.from('x') }],
  ['a verb of its own', { method: 'PURGE' }],
  ['a body that streams', { method: 'POST', body: Readable.from([Buffer.from('x')]) }],
  [
    'a length that is wrong',
    { method: 'POST', headers: ['content-length', '9'], body: Buffer.from('x') },
  ],
  ['a header that would be two', { headers: ['x-a', '1\r\nx-b: 2'] }],
  ['a name that is none', { headers: ['x a', '1'] }],
  ['a header of the connection', { headers: ['transfer-encoding', 'chunked'] }],
  ['a host of its own', { headers: ['host', 'elsewhere'] }],
  ['a path with a space', { path: '/a b' }],
  ['a path that is none', { path: 'a' }],
];

for (const [what, call] of CALLS) {
  test(`a call is written as undici writes it, without its word about the connection: ${what}`, async (t) => {
    // All that has come so far.
    let seen = '';
    const origin = await serve(t, (socket, text) => {
      seen = text;
      if (text.length < 100_000 || text.length > long.length) socket.write(OK);
    });
    const body = call.body instanceof Readable ? () => Readable.from(['x']) : () => call.body;
    const way = async (upstream: Upstream) => {
      seen = '';
      const answer = await ask(upstream, { ...GET, ...call, body: body() ?? null });
      return { answer, seen: seen.replace('connection: keep-alive\r\n', '') };
    };
    assert.deepEqual(await way(plain(t, origin)), await way(undici(t, origin)));
  });
}

test('calls one after another share a connection, calls at a time have one each', async (t) => {
  const { dialed, upstream } = await answering(t);
  for (let call = 0; call < 5; call += 1) {
    await ask(upstream, GET);
    await turn();
  }
  const alone = dialed.length;
  await Promise.all(Array.from({ length: 5 }, () => ask(upstream, GET)));
  assert.deepEqual([alone, dialed.length], [1, 5]);
});

test('bytes that nobody asked for end their connection, and answer no call', async (t) => {
  let connections = 0;
  const origin = await serve(
    t,
    (socket) =>
      socket.write(
        connections === 1 ? `${OK}HTTP/1.1 200 OK\r\nx-evil: 1\r\ncontent-length: 0\r\n\r\n` : OK,
      ),
    () => (connections += 1),
  );
  const upstream = plain(t, origin);
  const answers = [await ask(upstream, GET), await turn().then(() => ask(upstream, GET))];
  const fine = { status: 200, headers: ['content-length', '2'], body: 'ok' };
  assert.deepEqual([answers, connections], [[fine, fine], 2]);
});

test('a connection that the server closed in silence is used for no call', async (t) => {
  const { dialed, upstream } = await answering(t);
  await ask(upstream, GET);
  dialed[0]!.end();
  await once(dialed[0]!, 'close');
  assert.deepEqual([(await ask(upstream, GET)).status, dialed.length], [200, 2]);
});

test('after half a second of silence a look is taken before a connection is used', async (t) => {
  const { dialed, upstream } = await silent(t);
  const second = ask(upstream, GET);
  // In the same turn, as where both are there to be read.
  dialed[0]!.destroy();
  assert.equal((await second).status, 200);
});

test('an unused connection is closed after four seconds, or before the server says it does', async (t) => {
  const closed: string[] = [];
  const clock = new VirtualClock();
  for (const [name, answer] of [
    ['unsaid', OK],
    ['five', OK.replace('\r\n\r\n', '\r\nkeep-alive: timeout=5\r\n\r\n')],
  ] as const) {
    const origin = await serve(
      t,
      (socket) => socket.write(answer),
      (socket) => socket.on('close', () => closed.push(name)),
    );
    const upstream = plain(t, origin, clock);
    await ask(upstream, GET);
    await turn();
  }
  const seen: string[][] = [];
  for (const [expected, ms] of [2_000, 1_500, 1_500].entries()) {
    await clock.advance(ms);
    for (let tries = 0; tries < 20; tries += 1) await turn();
    await until(`${expected} are closed`, () => closed.length >= expected);
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen.push([...closed]);
  }
  assert.deepEqual(seen, [[], ['five'], ['five', 'unsaid']]);
});

test('a call that is given up ends its connection and is heard of no more', async (t) => {
  const hung: string[] = [];
  let asked = 0;
  const origin = await serve(
    t,
    () => {
      asked += 1;
    },
    (socket) => socket.on('close', () => hung.push('up')),
  );
  const upstream = plain(t, origin);
  let heard = 0;
  const hear = (): void => {
    heard += 1;
  };
  const flow = upstream.send(GET, { head: hear, data: hear, end: hear, fail: hear });
  await until('it is asked', () => asked === 1);
  flow.abort(new Error('enough'));
  await until('its connection is closed', () => hung.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual([hung, heard], [['up'], 0]);
});

test('an answer waits while nobody reads it', async (t) => {
  const size = 32 * 1024 * 1024;
  let written = false;
  const origin = await serve(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size), () => {
      written = true;
    });
  });
  const upstream = plain(t, origin);
  let bytes = 0;
  let flow: Flow | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    upstream.send(GET, {
      head(_status, _headers, from) {
        flow = from;
        from.pause();
      },
      data(chunk) {
        bytes += chunk.length;
      },
      end(last) {
        bytes += last?.length ?? 0;
        resolve();
      },
      fail: reject,
    });
  });
  await until('the answer begins', () => flow !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = [written, bytes < 1024 * 1024];
  flow!.resume();
  await ended;
  assert.deepEqual([before, bytes], [[false, true], size]);
});

test('nobody listens: the words are those of a refused connection', async (t) => {
  const origin = await serve(t, () => {});
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const dead = origin.replace(/\d+$/, String(port));
  assert.deepEqual(await ask(plain(t, dead), GET), await ask(undici(t, dead), GET));
});

test('closing fails the calls in flight, and those that come after it', async (t) => {
  const called = Promise.withResolvers<void>();
  const origin = await serve(t, () => called.resolve());
  const upstream = plain(t, origin);
  const first = ask(upstream, GET);
  await called.promise;
  await upstream.close();
  const gone = { failed: 'BROKEN: EOF' };
  assert.deepEqual([await first, await ask(upstream, GET)], [gone, gone]);
});

test('closing fails a call that has yet to look at its connection, and dials no other', async (t) => {
  const { dialed, upstream } = await silent(t);
  const second = ask(upstream, GET);
  await upstream.close();
  assert.deepEqual([await second, dialed.length], [{ failed: 'BROKEN: EOF' }, 1]);
});

interface Seen {
  readonly status?: number;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly failed?: string;
}

/** What became of a call, as its sink hears it. */
function ask(upstream: Upstream, call: OutgoingCall): Promise<Seen> {
  return new Promise((resolve) => {
    const seen: { status?: number; headers?: string[]; body?: string } = {};
    let body = '';
    const sink: AnswerSink = {
      head(status, headers) {
        Object.assign(seen, { status, headers });
      },
      data(chunk) {
        body += chunk.toString('latin1');
      },
      end(last) {
        resolve({ ...seen, body: body + (last?.toString('latin1') ?? '') });
      },
      fail(error) {
        const said = `${(error as UpstreamError).code}: ${error.message}`;
        resolve({ ...seen, ...(seen.status === undefined ? {} : { body }), failed: said });
      },
    };
    upstream.send(call, sink);
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server that answers as `answer` says to what it is sent; gone when the test ends. */
async function serve(
  t: TestContext,
  answer: (socket: net.Socket, text: string) => unknown,
  connected: (socket: net.Socket) => unknown = () => {},
): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    let text = '';
    sockets.add(socket);
    connected(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      answer(socket, text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** A server that answers everything with OK, and the connections that were made to it. */
async function answering(t: TestContext, clock = systemClock) {
  const dialed: net.Socket[] = [];
  const origin = await serve(
    t,
    (socket) => socket.write(OK),
    (socket) => dialed.push(socket),
  );
  return { dialed, upstream: plain(t, origin, clock) };
}

/** As `answering`, with one connection that has been silent for longer than one is trusted. */
async function silent(t: TestContext) {
  const clock = new VirtualClock();
  const answered = await answering(t, clock);
  await ask(answered.upstream, GET);
  await turn();
  await clock.advance(600);
  return answered;
}

function plain(t: TestContext, origin: string, clock = systemClock): PlainUpstream {
  const upstream = new PlainUpstream(origin, clock);
  t.after(() => upstream.close());
  return upstream;
}

function undici(t: TestContext, origin: string): HttpUpstream {
  const upstream = new HttpUpstream(origin);
  t.after(() => upstream.close());
  return upstream;
}
