import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type RawApp, startRawApp } from './raw-app.ts';

/** What an application answers, byte for byte. */
const ANSWERS = {
  '/fixed': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: 1\r\n\r\nok',
  '/kept':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX-A: 1\r\n\r\nok',
  '/chunked':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n2\r\nok\r\n2\r\nok\r\n0\r\n\r\n',
  '/events':
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n',
  '/hops':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\nTE: trailers\r\nTrailer: x-t\r\nProxy-Authenticate: Basic\r\nProxy-Connection: keep-alive\r\nVia: 1.1 x\r\nX-A: 1\r\n\r\nok',
  '/none': 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n',
  '/none-of-it': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n',
  '/unchanged': 'HTTP/1.1 304 Not Modified\r\nX-A: 1\r\n\r\n',
  '/early':
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok',
  '/head': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n',
};

/** Requests as a client writes them, after their first line. */
const REQUESTS = {
  'without a body': ['GET', ''],
  'a body of a known length': ['POST', 'Content-Length: 3\r\n\r\nabc'],
  'a body in chunks': ['POST', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  'a body with a trailer': [
    'POST',
    'Transfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  ],
  'a body where there is none as a rule': ['GET', 'Content-Length: 3\r\n\r\nabc'],
  'the head alone': ['HEAD', ''],
  'events wanted': ['GET', 'Accept: text/event-stream\r\n\r\n'],
  'all that is about connections': [
    'GET',
    'Keep-Alive: timeout=4\r\nX-Hop: 1\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: p\r\nUpgrade: websocket\r\nVia: 1.1 z\r\nX-Real-Ip: 1\r\n\r\n',
  ],
} as const;

/** daprd's HTTP client adds them where the caller has none; `host` is every request's. */
const OF_DAPRD = new Set(['accept-encoding', 'user-agent', 'host']);
/** How long the body is: either make says so where it knows, in its own way. */
const OF_BODIES = new Set(['content-length', 'content-type', 'transfer-encoding', 'date']);

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, headers of one connection`, () => {
    let app: RawApp;
    let mesh: AppMesh<'caller' | 'callee'>;
    before(async () => {
      app = await startRawApp(ANSWERS);
      mesh = await startAppMesh(executable, {
        callee: { appPort: app.port },
        caller: { appPort: app.port },
      });
    });
    after(async () => {
      await mesh.stop();
      await app.close();
    });
    // To one's own application, and through the sidecar of another.
    const forms = ['caller', 'callee'].map((id) => `/v1.0/invoke/${id}/method`);

    test('names are spelt as Go spells them, for clients whose dictionaries know one spelling', async () => {
      for (const form of forms) {
        const raw = `GET ${form}/fixed HTTP/1.1\r\nHost: a\r\n\r\n`;
        const { bytes } = await app.ask(mesh.port('caller'), raw);
        const names = bytes.split('\r\n').map((line) => line.split(':')[0]!);
        for (const name of ['X-A', 'Traceparent']) {
          assert.ok(names.includes(name), `${name} in ${names}`);
        }
      }
    });

    for (const [name, [verb, rest]] of Object.entries(REQUESTS)) {
      test(`to the application: ${name}`, async () => {
        const [own, through] = forms.map(
          (form) =>
            `${verb} ${form}/fixed HTTP/1.1\r\nHost: a\r\nConnection: close, x-hop\r\n${rest || '\r\n'}`,
        );
        await sendRaw(mesh.port('caller'), { raw: own! });
        const first = app.last();
        await sendRaw(mesh.port('caller'), { raw: through! });
        const second = app.last();
        const extra = name.startsWith('all') ? ['via', 'x-real-ip'] : [];
        const events = name.startsWith('events') ? ['accept'] : [];
        for (const names of [first, second]) {
          const left = names
            .filter((one) => !OF_DAPRD.has(one) && !OF_BODIES.has(one))
            .filter((one) => !/^(dapr-|forwarded$|x-forwarded-|traceparent|tracestate)/.test(one));
          assert.deepEqual(left.sort(), [...events, ...extra].sort());
        }
      });
    }

    for (const path of Object.keys(ANSWERS)) {
      test(`to the client: ${path}`, async () => {
        for (const form of forms) {
          const verb = path === '/head' ? 'HEAD' : 'GET';
          const raw = `${verb} ${form}${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
          const { bytes, names } = await app.ask(mesh.port('caller'), raw);
          const want = path === '/hops' ? ['via', 'x-a'] : ['x-a'];
          assert.deepEqual(
            names.filter((one) => !OF_BODIES.has(one) && !/^trace/.test(one)).sort(),
            want,
            bytes,
          );
          if (bytes.startsWith('HTTP/1.1 204')) assert.doesNotMatch(bytes, /content-length/i);
        }
      });
    }

    test('to the client: the connection ends where it asked for that, and only there', async () => {
      for (const form of forms) {
        for (const path of ['/fixed', '/chunked', '/events']) {
          const raw = `GET ${form}${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
          const { headers } = await sendRaw(mesh.port('caller'), { raw });
          assert.equal(headers.connection, 'close');
        }
      }
    });
  });
}
