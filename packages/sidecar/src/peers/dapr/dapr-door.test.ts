import assert from 'node:assert/strict';
import http2, { type ClientHttp2Session } from 'node:http2';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { systemClock } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import { cancel } from '../../app/grpc-connection.ts';
import type { OutgoingCall } from '../../flow/answer.ts';
import { HTTPExtension_Verb as Verb } from '../../grpc/protos/common_pb.ts';
import { InternalInvokeRequestStreamSchema } from '../../grpc/protos/service_invocation_pb.ts';
import { framed } from '../../grpc/wire/message-frame.ts';
import { listenForPeers } from '../listen-for-peers.ts';
import type { PeerCallee } from '../peer-transport.ts';

type Message = MessageInitShape<typeof InternalInvokeRequestStreamSchema>;

const STREAM = '/dapr.proto.internals.v1.ServiceInvocation/CallLocalStream';
const MAX_BODY_BYTES = 256 * 1024;

test('a call in parts is one call, whose length the application is told', async (t) => {
  const { open, calls } = await door(t);
  const answer = await send(open(), [
    { request: request({ 'Content-Length': '6', 'X-Mine': '7' }), payload: part('abc', 0) },
    { payload: part('def', 1) },
  ]);
  assert.deepEqual(
    [answer, calls.ended],
    ['0 ', ['POST /a%20b?q=1 abcdef (x-mine content-type content-length) whole']],
  );
});

test('what says who calls counts as daprd writes it, not as its client does', async (t) => {
  const seen: string[] = [];
  const { open } = await door(t, ({ headers }) => {
    const at = headers.indexOf('dapr-caller-app-id');
    seen.push(`${headers[at + 1]} ${headers.filter((one) => one === 'dapr-caller-app-id').length}`);
  });
  const claims = { 'Dapr-Caller-App-Id': 'evil', 'dapr-caller-app-id': 'honest' };
  await send(open(), [{ request: request(claims) }]);
  assert.deepEqual(seen, ['honest 1']);
});

test('what cannot be is refused with a reason, and reaches nobody', async (t) => {
  const { open, calls } = await door(t);
  const said: string[] = [];
  for (const message of [
    {},
    { request: { metadata: {} } },
    { request: request({ 'X-Bad': 'a\r\nx-more: 1' }) },
    { request: request({ 'bad name': '1' }) },
    { request: request({}, '', 'text/plain\r\nx-more: 1') },
    { request: request({}, 'a\nb') },
    { request: request({}, 'x', '', Verb.CONNECT) },
  ] satisfies Message[]) {
    said.push(await send(open(), [message]));
  }
  assert.equal(calls.begun, 0);
  for (const one of said) assert.match(one, /^3 parsing InternalInvokeRequest error: \S/);
});

test('parts that are out of order, and a head that comes twice, are no whole body', async (t) => {
  const { open, calls } = await door(t);
  const session = open();
  const first: Message = { request: request(), payload: part('a', 0) };
  await send(session, [first, { payload: part('c', 2) }]);
  await send(session, [first, { request: request() }]);
  await until('both are over', () => calls.ended.length === 2);
  assert.deepEqual(
    calls.ended.map((one) => one.split(') ')[1]),
    ['cut', 'cut'],
  );
});

test('a caller that leaves in the middle of its body has not sent a whole one', async (t) => {
  for (const how of ['reset', 'hang up'] as const) {
    const { open, calls } = await door(t);
    const session = open();
    const stream = session.request(HEADERS);
    stream.on('error', () => {});
    stream.write(encoded({ request: request(), payload: part('half', 0) }));
    await until('it has begun', () => calls.begun === 1);
    if (how === 'reset') cancel(stream);
    else session.socket.destroy();
    await until('it is over', () => calls.ended.length === 1);
    assert.match(calls.ended[0]!, /half .*cut$/, how);
  }
});

test('actors and workflows of other sidecars are told that there are none', async (t) => {
  const { open } = await door(t);
  const headers = { ...HEADERS, ':path': '/dapr.proto.internals.v1.ServiceInvocation/CallActor' };
  assert.match(await send(open(), [], headers), /^12 .*no actors/);
});

test('a message that is too long is refused', async (t) => {
  const { open } = await door(t);
  const long = { request: request(), payload: part('x'.repeat(MAX_BODY_BYTES + 1), 0) };
  assert.match(await send(open(), [long]), /^8 /);
});

test('who begins HTTP/2 and asks for nothing is hung up on', async (t) => {
  const { open } = await door(t, undefined, 100);
  const session = open();
  await new Promise((resolve) => session.on('close', resolve));
});

test('a drain waits for the call that is under way, and takes no other', async (t) => {
  const held = Promise.withResolvers<void>();
  const { open, calls, server } = await door(t, () => held.promise);
  const session = open();
  const first = send(session, [{ request: request() }]);
  await until('it has begun', () => calls.begun === 1);
  let drained = false;
  const draining = server.drain().then(() => {
    drained = true;
  });
  await until('the caller is asked to go', () => session.closed || session.destroyed);
  assert.equal(drained, false);
  held.resolve();
  assert.equal(await first, '0 ');
  await draining;
});

test('whatever bytes a caller sends, others are answered', async (t) => {
  const { open } = await door(t);
  const good = open();
  const random = seededRandom(7);
  const whole = encoded({ request: request({ a: 'b' }), payload: part('abc', 0) });
  for (let round = 0; round < 300; round += 1) {
    const bytes = Buffer.from(whole);
    for (let change = 0; change < 1 + random.next() * 8; change += 1) {
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
    }
    const stream = good.request(HEADERS);
    stream.on('error', () => {});
    stream.end(bytes);
    stream.resume();
    // A length that promises more than comes has no answer before its end.
    await new Promise((resolve) => stream.on('close', resolve));
  }
  assert.equal(await send(good, [{ request: request() }]), '0 ');
});

const HEADERS = {
  ':method': 'POST',
  ':path': STREAM,
  'content-type': 'application/grpc',
  te: 'trailers',
};

function request(
  metadata: Readonly<Record<string, string>> = {},
  method = 'a b',
  contentType = 'text/plain',
  verb: (typeof Verb)[keyof typeof Verb] = Verb.POST,
): Message['request'] {
  const lists = Object.entries(metadata).map(([name, value]) => [name, { values: [value] }]);
  return {
    metadata: Object.fromEntries(lists),
    message: { method, contentType, httpExtension: { verb, querystring: 'q=1' } },
  };
}

const part = (text: string, seq: number) => ({ data: Buffer.from(text), seq: BigInt(seq) });

const encoded = (message: Message): Buffer =>
  framed(
    toBinary(InternalInvokeRequestStreamSchema, create(InternalInvokeRequestStreamSchema, message)),
  );

/** The status of the call and its words. */
async function send(
  session: ClientHttp2Session,
  messages: readonly Message[],
  headers: http2.OutgoingHttpHeaders = HEADERS,
): Promise<string> {
  const stream = session.request(headers);
  let last: http2.IncomingHttpHeaders = {};
  stream.on('response', (given) => {
    last = given;
  });
  stream.on('trailers', (given) => {
    last = given;
  });
  stream.on('error', () => {});
  for (const message of messages) stream.write(encoded(message));
  stream.end();
  stream.resume();
  await new Promise((resolve) => stream.on('close', resolve));
  return `${last['grpc-status']} ${decodeURIComponent(String(last['grpc-message'] ?? ''))}`;
}

/** How many calls have begun, and what those came to that have ended. */
interface Calls {
  begun: number;
  readonly ended: string[];
}

/** The door of a sidecar, whose application reads each call to its end. */
async function door(
  t: TestContext,
  meet: (call: OutgoingCall) => unknown = () => {},
  firstCallMs = 60_000,
) {
  const calls: Calls = { begun: 0, ended: [] };
  const callee: PeerCallee = {
    send(call, sink) {
      const flow = { pause() {}, resume() {}, abort() {} };
      calls.begun += 1;
      const { method, path, headers, body } = call;
      const names = headers.filter((_, at) => at % 2 === 0).join(' ');
      const text: Buffer[] = [];
      const over = (how: string): void => {
        calls.ended.push(`${method} ${path} ${Buffer.concat(text)} (${names}) ${how}`);
      };
      const answer = async (): Promise<void> => {
        over('whole');
        await meet(call);
        sink.head(200, [], flow);
        sink.end(null);
      };
      const cut = (error: Error): void => {
        over('cut');
        sink.fail(error);
      };
      if (body instanceof Readable) {
        body.on('data', (bytes: Buffer) => text.push(bytes));
        body.on('end', answer).on('error', cut);
      } else {
        if (body !== null) text.push(body);
        void answer();
      }
      return flow;
    },
  };
  const server = await listenForPeers(callee, {
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: MAX_BODY_BYTES,
    firstCallMs,
  });
  const sessions: ClientHttp2Session[] = [];
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const open = (): ClientHttp2Session => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    session.on('error', () => {});
    sessions.push(session);
    return session;
  };
  return { calls, open, server };
}
