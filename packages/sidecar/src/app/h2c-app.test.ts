import assert from 'node:assert/strict';
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { until } from '@holdfast/test-servers';
import type { AnswerSink, OutgoingCall } from '../flow/answer.ts';
import { H2cApp } from './h2c-app.ts';

const GET: OutgoingCall = { method: 'GET', path: '/a?b=1', headers: ['x-one', '1'], body: null };
const POST: OutgoingCall = { ...GET, method: 'POST' };

test('status, headers in their order and more than once, and no word of the connection', async (t) => {
  const { app } = await serve(t, (stream, headers) => {
    stream.respond({
      ':status': 201,
      'x-b': '2',
      'set-cookie': ['a=1', 'b=2'],
      'content-length': '8',
    });
    stream.end(`${headers[':path']} ${headers['x-one']}`);
  });
  const { body, headers, status } = await ask(app, {
    ...GET,
    headers: [...GET.headers, 'connection', 'close'],
  });
  const dated = headers.filter((_, at) => headers[at & ~1] !== 'date');
  assert.deepEqual(
    [status, body, dated],
    [
      201,
      '/a?b=1 1',
      ['x-b', '2', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'content-length', '8'],
    ],
  );
});

test('bodies both ways, whole or as streams, and more than is held at once', async (t) => {
  const { app } = await serve(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const long = 'x'.repeat(2_000_000);
  const whole = await ask(app, { ...POST, body: Buffer.from(long) });
  const pieces = Array.from({ length: 20 }, () => Buffer.from(long.slice(0, 100_000)));
  const streamed = await ask(app, { ...POST, body: Readable.from(pieces) }, true);
  assert.deepEqual([whole.body.length, streamed.body.length], [2_000_000, 2_000_000]);
});

test('a body that breaks off is reset in the application, not ended', async (t) => {
  const seen = Promise.withResolvers<string>();
  const came = Promise.withResolvers<void>();
  const { app } = await serve(t, (stream) => {
    stream.on('data', () => came.resolve());
    stream.on('end', () => seen.resolve(stream.closed ? 'broken off' : 'whole'));
  });
  const body = new Readable({ read() {} });
  body.push('half');
  const answer = ask(app, { ...POST, body });
  await came.promise;
  body.destroy(new Error('the client has gone'));
  assert.deepEqual(
    [await seen.promise, (await answer).failed],
    ['broken off', 'the client has gone'],
  );
});

test('a call that is given up is reset', async (t) => {
  const reset = Promise.withResolvers<number | undefined>();
  const { app } = await serve(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('x');
    stream.on('close', () => reset.resolve(stream.rstCode));
  });
  const flow = app.send(GET, sink({ data: () => flow.abort(new Error('enough')) }));
  assert.equal(await reset.promise, http2.constants.NGHTTP2_CANCEL);
});

for (const [what, answer, failed] of [
  [
    'at once',
    (stream) => stream.destroy(new Error('x')),
    /^stream error: stream ID \d+; INTERNAL_ERROR; received from peer$/,
  ],
  [
    'in the middle',
    (stream) => half(stream, () => stream.destroy(new Error('x'))),
    /INTERNAL_ERROR/,
  ],
  ['with its connection', (stream) => half(stream, () => stream.session?.destroy()), /^EOF$/],
  [
    'by its length',
    (stream) => {
      stream.respond({ ':status': 200, 'content-length': '9' });
      stream.end('half');
    },
    /./,
  ],
] as readonly (readonly [string, (stream: ServerHttp2Stream) => void, RegExp])[]) {
  test(`an answer that breaks off ${what} is a failure`, async (t) => {
    const { app } = await serve(t, answer);
    const { body, code, failed: said } = await ask(app, GET);
    assert.match(said ?? '', failed);
    assert.deepEqual([code, ['', 'half'].includes(body)], ['BROKEN', true]);
  });
}

test('nobody there: nothing of a body was read', async () => {
  const app = new H2cApp('127.0.0.1:1', systemClock);
  let read = 0;
  const body = new Readable({
    read() {
      read += 1;
    },
  });
  const { code, failed } = await ask(app, { ...POST, body });
  await app.close();
  assert.deepEqual(
    [code, failed, read],
    ['UNREACHABLE', 'dial tcp 127.0.0.1:1: connect: connection refused', 0],
  );
});

test('what the application has refused to begin is sent once more', async (t) => {
  let calls = 0;
  const { app } = await serve(t, (stream) => {
    calls += 1;
    if (calls === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    else stream.respond({ ':status': 204 }, { endStream: true });
  });
  assert.deepEqual([(await ask(app, GET)).status, calls], [204, 2]);
});

test('who has answered need not have the rest of the body', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { app } = await serve(t, (stream) => {
    stream.respond({ ':status': 413 });
    stream.end('too long');
    stream.on('close', () => closed.resolve());
  });
  const body = new Readable({ read() {} });
  body.push('begin');
  const { body: said, status } = await ask(app, { ...POST, body });
  await closed.promise;
  assert.deepEqual([status, said], [413, 'too long']);
});

test('an application that was started again is called over a new connection', async (t) => {
  const { app, sessions } = await serve(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  await ask(app, GET);
  for (const session of sessions) session.destroy();
  // One that is asked before its end is known here fails.
  await until('it is called again', async () => (await ask(app, GET)).body === 'ok');
});

test('a header that HTTP/2 cannot have is refused before anything is sent', async (t) => {
  const { app } = await serve(t, () => assert.fail('it was sent'));
  assert.equal((await ask(app, { ...GET, headers: ['te', 'a', ':odd', '1'] })).code, 'REFUSED');
});

const half = (stream: ServerHttp2Stream, then: () => void): void => {
  stream.respond({ ':status': 200 });
  stream.write('half', () => setTimeout(then, 20));
};

async function serve(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
) {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on('session', (session) => sessions.add(session.on('error', () => {})));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const app = new H2cApp(`127.0.0.1:${(server.address() as AddressInfo).port}`, systemClock);
  t.after(async () => {
    await app.close();
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { app, sessions };
}

interface Answered {
  status: number | undefined;
  headers: readonly string[];
  body: string;
  failed?: string;
  code?: string;
}

function ask(app: H2cApp, call: OutgoingCall, slowly = false): Promise<Answered> {
  return new Promise((resolve) => {
    const answered: Answered = { status: undefined, headers: [], body: '' };
    const flow = app.send(
      call,
      sink({
        head(status, headers) {
          Object.assign(answered, { status, headers });
        },
        data(chunk) {
          answered.body += chunk.toString();
          if (!slowly) return;
          flow.pause();
          setImmediate(() => flow.resume());
        },
        end: (last) => resolve({ ...answered, body: answered.body + (last?.toString() ?? '') }),
        fail: (error) =>
          resolve({
            ...answered,
            failed: error.message,
            code: (error as { code?: string }).code ?? '',
          }),
      }),
    );
  });
}

const sink = (given: Partial<AnswerSink>): AnswerSink => ({
  head() {},
  data() {},
  end() {},
  fail() {},
  ...given,
});
