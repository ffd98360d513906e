import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import http2, { type ClientHttp2Session } from 'node:http2';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import {
  DATA,
  END_HEADERS,
  frame,
  HEADERS,
  headerBlock,
  RST_STREAM,
  rawH2,
} from '../../testing/raw-h2.ts';
import { type ApiServer, startApiServer } from '../doors/api-server.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const POST = { ':method': 'POST', ':scheme': 'http', ':path': '/', ':authority': 'a' };
const CANCEL = 8;
const SETTINGS = '\0\0\0\x04\0\0\0\0\0';

test('one port answers HTTP/1.1 and HTTP/2, bodies both ways', async (t) => {
  const { port, session } = await serve(t, echo);
  const over1 = await (await fetch(`http://127.0.0.1:${port}/x`)).text();
  const body = 'x'.repeat(300_000);
  const over2 = await ask(session(), { ':method': 'POST', ':path': '/y?z=1' }, body);
  assert.deepEqual([over1, over2.status, over2.body], ['GET /x 0 ', 200, `POST /y?z=1 -1 ${body}`]);
});

test('the preface may come in any two pieces', async (t) => {
  const { port } = await serve(t, echo);
  const settled: boolean[] = [];
  for (let cut = 1; cut < PREFACE.length + SETTINGS.length; cut += 1) {
    const all = PREFACE + SETTINGS;
    const socket = net.connect(port, '127.0.0.1');
    socket.setNoDelay(true).write(all.slice(0, cut), 'latin1');
    await new Promise((resolve) => socket.once('connect', () => setImmediate(resolve)));
    socket.write(all.slice(cut), 'latin1');
    // Settings (type 4) of the server, and not HTTP/1.1's 400.
    settled.push(
      await new Promise((resolve) => socket.once('data', (bytes) => resolve(bytes[3] === 4))),
    );
    socket.destroy();
  }
  assert.deepEqual(new Set(settled), new Set([true]));
});

test('HTTP/2 after a request over HTTP/1.1 is none', async (t) => {
  const { port } = await serve(t, echo);
  const said = await raw(port, `GET /x HTTP/1.1\r\nhost: a\r\n\r\n${PREFACE}${SETTINGS}`);
  assert.match(said, /^HTTP\/1\.1 (?:200|400)/);
});

test('without h2c the preface is a bad request', async (t) => {
  const { port } = await serve(t, echo, { h2c: false });
  assert.match(await raw(port, PREFACE + SETTINGS), /^HTTP\/1\.1 400 /);
});

test('a connection outlives the time in which a head of HTTP/1.1 must be complete', async (t) => {
  const { session } = await serve(t, echo, { headersTimeoutMs: 1_000 });
  const client = session();
  const first = await ask(client, { ':path': '/1' });
  await new Promise((resolve) => setTimeout(resolve, 1_600));
  const second = await ask(client, { ':path': '/2' });
  assert.deepEqual([first.body, second.body], ['GET /1 0 ', 'GET /2 0 ']);
});

test('a connection on which nothing happens is closed, one that waits for an answer is not', async (t) => {
  const release = Promise.withResolvers<void>();
  const { session } = await serve(
    t,
    (_req, res) => void release.promise.then(() => res.writeHead(200).end('late')),
    { keepAliveMs: 1_000 },
  );
  const [idle, waiting] = [session(), session()];
  const answer = ask(waiting, { ':path': '/' });
  await new Promise((resolve) => idle.once('close', resolve));
  release.resolve();
  assert.equal((await answer).body, 'late');
});

test('a body that breaks off is not taken for a whole one', async (t) => {
  const seen = Promise.withResolvers<readonly string[]>();
  const came = Promise.withResolvers<void>();
  const { port } = await serve(t, (req) => {
    const events: string[] = [];
    req.on('data', () => {
      events.push('data');
      came.resolve();
    });
    req.on('end', () => events.push('end'));
    req.on('close', () => seen.resolve([...events, `complete: ${req.complete}`]));
  });
  const client = rawH2(port);
  client.send(
    frame(HEADERS, END_HEADERS, 1, headerBlock({ ...POST, 'x-a': '1' })),
    frame(DATA, 0, 1, Buffer.from('half')),
  );
  await came.promise;
  client.send(frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, CANCEL])));
  assert.deepEqual(await seen.promise, ['data', 'complete: false']);
  client.socket.destroy();
});

test('an answer that breaks off is an error for the client', async (t) => {
  const { session } = await serve(t, (_req, res) => {
    res.writeHead(200, ['content-type', 'text/plain']);
    res.write('half');
    setImmediate(() => res.destroy());
  });
  const client = session();
  await assert.rejects(ask(client, { ':path': '/' }), { code: 'ERR_HTTP2_STREAM_ERROR' });
  assert.equal(client.closed, false);
});

test('headers are those of HTTP/1.1: none of connections, lists of several, cookies in one', async (t) => {
  const { session } = await serve(t, (req, res) => {
    res.writeHead(200, [
      'connection',
      'close',
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'te',
      'x',
    ]);
    res.end(JSON.stringify(req.rawHeaders));
  });
  const headers = { ':path': '/', cookie: ['c=3', 'd=4'], 'x-a': ['1', '2'], te: 'trailers' };
  const { body, head } = await ask(session(), headers as never);
  assert.deepEqual(JSON.parse(body), [
    'cookie',
    'c=3; d=4',
    'x-a',
    '1',
    'x-a',
    '2',
    'te',
    'trailers',
  ]);
  assert.deepEqual(
    [head.connection, head.te, head['set-cookie']],
    [undefined, undefined, ['a=1', 'b=2']],
  );
});

test('HEAD, 204 and 304 have no body', async (t) => {
  const { session } = await serve(t, (req, res) => {
    res.writeHead(Number(req.url?.slice(1)), ['x-a', '1']);
    res.write('some');
    res.end('thing');
  });
  const client = session();
  const answers = [
    await ask(client, { ':method': 'HEAD', ':path': '/200' }),
    await ask(client, { ':path': '/204' }),
    await ask(client, { ':path': '/304' }),
  ];
  assert.deepEqual(
    answers.map(({ body, head, status }) => [status, head['x-a'], body]),
    [200, 204, 304].map((status) => [status, '1', '']),
  );
});

test('who is answered before the end of its body may keep the rest', async (t) => {
  const { session } = await serve(t, (_req, res) => void res.writeHead(413).end('too long'));
  const stream = session().request({ ':method': 'POST', ':path': '/' });
  stream.write('x');
  let body = '';
  stream.on('data', (chunk) => {
    body += chunk;
  });
  await new Promise((resolve) => stream.once('close', resolve));
  assert.deepEqual([body, stream.rstCode], ['too long', http2.constants.NGHTTP2_NO_ERROR]);
});

test('a client that reads nothing holds its sender back', async (t) => {
  let wrote = 0;
  const { session } = await serve(t, (_req, res) => {
    res.writeHead(200);
    while (res.write(Buffer.alloc(16 * 1024))) wrote += 1;
    res.once('drain', () => res.end());
  });
  const stream = session().request({ ':path': '/' });
  await new Promise((resolve) => stream.once('response', resolve));
  assert.ok(wrote < 64, `${wrote} pieces`);
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
});

test('whatever frames a client sends, the others are served', async (t) => {
  const { port, session } = await serve(t, echo);
  const chance = seededRandom(7);
  const below = (limit: number): number => Math.floor(chance.next() * limit);
  for (let n = 0; n < 150; n += 1) {
    const client = rawH2(port);
    for (let left = 1 + below(6); left > 0; left -= 1) {
      const payload = Buffer.from(Array.from({ length: below(80) }, () => below(256)));
      client.send(frame(below(12), below(256), below(6), payload));
    }
    client.socket.end();
    await client.closed;
  }
  assert.equal((await ask(session(), { ':path': '/x' })).body, 'GET /x 0 ');
});

test('draining: what is under way is answered, and then the connection ends', async (t) => {
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { server, session } = await serve(t, (_req, res) => {
    begun.resolve();
    void release.promise.then(() => res.writeHead(200).end('done'));
  });
  const [client, other] = [session(), session()];
  const answer = ask(client, { ':path': '/' });
  await Promise.all([
    begun.promise,
    new Promise((resolve) => other.once('remoteSettings', resolve)),
  ]);
  const drained = server.drain();
  await new Promise((resolve) => other.once('close', resolve));
  release.resolve();
  assert.equal((await answer).body, 'done');
  await drained;
});

const echo: RequestListener = (req, res) => {
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  const answer = (): void => {
    const length = req.rawHeaders.includes('transfer-encoding') ? -1 : body.length;
    res.writeHead(200, ['x-a', '1']);
    res.end(`${req.method} ${req.url} ${length} ${body}`);
  };
  if (req.method === 'GET') answer();
  else req.on('end', answer);
};

async function serve(
  t: TestContext,
  onRequest: RequestListener,
  more: { h2c?: boolean; headersTimeoutMs?: number; keepAliveMs?: number } = {},
) {
  const server: ApiServer = await startApiServer({
    hosts: ['127.0.0.1'],
    port: 0,
    flag: '--port',
    maxHeaderBytes: 8_192,
    maxConnections: 100,
    h2c: true,
    onRequest,
    ...more,
  });
  t.after(() => server.close());
  const session = () => {
    const client = http2.connect(`http://127.0.0.1:${server.port}`);
    client.on('error', () => {});
    t.after(() => client.destroy());
    return client;
  };
  return { port: server.port, server, session };
}

function ask(
  client: ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<{ status: number; head: http2.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const stream = client.request(headers, { endStream: body === undefined });
    let head: http2.IncomingHttpHeaders = {};
    let text = '';
    stream.on('response', (given) => {
      head = given;
    });
    stream.on('data', (chunk) => {
      text += chunk;
    });
    stream.on('error', reject);
    stream.on('close', () => resolve({ status: Number(head[':status']), head, body: text }));
    if (body !== undefined) stream.end(body);
  });
}

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    let said = '';
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });
}
