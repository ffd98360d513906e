import assert from 'node:assert/strict';
import http2, { type OutgoingHttpHeaders } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@holdfast/test-servers';
import { rawH2, SETTINGS } from '../../../packages/sidecar/src/testing/raw-h2.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { NO_APP_ID } from '../makes/case.ts';
import type { Seen } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';
import { type Mesh, type Role, startMesh } from '../makes/mesh.ts';
import { API_TOKEN } from '../makes/one-sidecar.ts';
import { type Asked, asked, hello, request, upgraded } from './h2c-client.ts';

const CALLEE = '/v1.0/invoke/callee/method';
const STORE = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: memory }
spec: { type: state.in-memory, version: v1 }
`;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, HTTP/2 in clear text on the port of HTTP/1.1`, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, { resources: { 'memory.yaml': STORE } });
    });
    after(() => mesh.stop());
    const ask = async (
      headers: OutgoingHttpHeaders,
      body?: string | Buffer,
      role: Role = 'caller',
    ) => (await asked(mesh.port(role), headers, body)) as Asked;
    const seen = async (headers: OutgoingHttpHeaders, body?: string) =>
      JSON.parse((await ask(headers, body)).body) as Seen;

    test('the sidecar is well', async () => {
      const { body, head, status } = await ask({ ':path': '/v1.0/healthz' });
      assert.deepEqual([status, body, Object.keys(head).sort()], [204, '', [':status', 'date']]);
    });

    test('an application is called, which sees HTTP/1.1', async () => {
      const { headers, method, url } = await seen({
        ':path': `${CALLEE}/a?b=1`,
        'x-mine': '1',
        te: 'trailers',
      });
      assert.deepEqual(
        [method, url, headers['x-mine'], headers.te, headers.connection],
        ['GET', '/a?b=1', '1', undefined, undefined],
      );
    });

    test('a body reaches it, whether its length is known or not', async () => {
      const post = { ':method': 'POST', ':path': `${CALLEE}/a`, 'content-type': 'text/plain' };
      const known = await seen({ ...post, 'content-length': 5 }, 'hello');
      const unknown = await seen(post, 'hello');
      assert.deepEqual(
        [
          known.body,
          known.headers['content-length'],
          unknown.body,
          unknown.headers['content-type'],
        ],
        ['hello', '5', 'hello', 'text/plain'],
      );
    });

    test('cookies in pieces are one', async () => {
      const { headers } = await seen({ ':path': `${CALLEE}/a`, cookie: ['a=1', 'b=2'] } as never);
      assert.equal(headers.cookie, 'a=1; b=2');
    });

    test('a header may have a name that objects have as well', async () => {
      const named = { constructor: 'c', valueof: 'v' };
      const { headers } = await seen({ ':path': `${CALLEE}/a`, ...named });
      assert.deepEqual([headers.constructor, headers.valueof], ['c', 'v']);
      const { head } = await ask({ ':path': `${CALLEE}/a?h-constructor=c&h-valueof=v` });
      assert.deepEqual([head.constructor, head.valueof], ['c', 'v']);
    });

    test('its status and headers come back, and none of its connection', async () => {
      const { head, status } = await ask({
        ':path': `${CALLEE}/a?status=404&h-keep-alive=timeout%3D9`,
      });
      assert.deepEqual(
        [
          status,
          head['x-app'],
          head['keep-alive'],
          head.connection,
          /^00-/.test(String(head.traceparent)),
        ],
        [404, 'echo', undefined, undefined, true],
      );
    });

    test('answers without a body', async () => {
      const head = await ask({ ':method': 'HEAD', ':path': `${CALLEE}/a` });
      const none = await ask({ ':path': `${CALLEE}/a?status=204` });
      assert.deepEqual([head.status, head.body, none.status, none.body], [200, '', 204, '']);
    });

    test('half an answer is an error', async () => {
      for (const kind of ['sized', 'chunked']) {
        const { failed } = await ask({ ':path': `${CALLEE}/a?die=${kind}` });
        // daprd passes it on as if it were whole.
        assert.equal(failed, make === 'holdfast', kind);
      }
    });

    test('a long answer is whole', async () => {
      const { body } = await ask({ ':path': `${CALLEE}/a?bytes=3000000` });
      assert.equal(body.length, 3_000_000);
    });

    test('the other APIs answer: state, metadata, what is none of them', async () => {
      const post = { ':method': 'POST', ':path': '/v1.0/state/memory' };
      const saved = await ask(post, '[{"key":"k","value":{"a":1}}]');
      const read = await ask({ ':path': '/v1.0/state/memory/k' });
      const metadata = await ask({ ':path': '/v1.0/metadata' });
      const nothing = await ask({ ':path': '/nothing' });
      assert.deepEqual(
        [saved.status, read.body, JSON.parse(metadata.body).id, nothing.status, nothing.body],
        [204, '{"a":1}', 'caller', 404, NO_APP_ID],
      );
    });

    test('a token is asked for', async () => {
      const path = { ':path': '/v1.0/metadata' };
      const none = await ask(path, undefined, 'secured');
      const right = await ask({ ...path, 'dapr-api-token': API_TOKEN }, undefined, 'secured');
      assert.deepEqual([none.status, none.body, right.status], [401, 'invalid api token\n', 200]);
    });

    test('a body that is too long is refused', async () => {
      const post = { ':method': 'POST', ':path': `${CALLEE}/a` };
      const { body, status } = await ask(post, Buffer.alloc(5_000_000));
      // daprd calls it a failure of its own.
      assert.deepEqual(
        [status, JSON.parse(body).errorCode],
        [make === 'daprd' ? 500 : 413, 'ERR_DIRECT_INVOKE'],
      );
    });

    test('a head that is too long is refused', async () => {
      // Over HTTP/1.1 either make grants as much again; daprd does not over HTTP/2.
      const bytes = make === 'daprd' ? 4_200 : 8_200;
      const { status } = await ask({ ':path': '/v1.0/healthz', 'x-a': 'a'.repeat(bytes) });
      assert.equal(status, 431);
    });

    test('250 requests at a time are welcome', async () => {
      const client = rawH2(mesh.port('caller'));
      const { payload } = await client.saw(({ flags, type }) => type === SETTINGS && flags === 0);
      client.socket.destroy();
      const settings = new Map<number, number>();
      for (let at = 0; at < payload.length; at += 6) {
        settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
      }
      assert.equal(settings.get(3), 250);
    });

    test('many at once, each with its own answer', async () => {
      const client = http2.connect(`http://127.0.0.1:${mesh.port('caller')}`);
      const bodies = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => {
          const { body } = await request(client, { ':path': `${CALLEE}/n/${n}?delay=${n % 7}` });
          return (JSON.parse(body) as Seen).url;
        }),
      );
      client.destroy();
      assert.deepEqual(
        bodies,
        bodies.map((_, n) => `/n/${n}?delay=${n % 7}`),
      );
    });

    const ASK =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
    const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c';

    test('who asks to go on in HTTP/2 has the answer in it, and further ones', async () => {
      const { bodies, head } = await upgraded(
        mesh.port('caller'),
        `GET ${CALLEE}/one?a=1 HTTP/1.1\r\nHost: a\r\nx-mine: 1\r\n${ASK}\r\n`,
        `${CALLEE}/three`,
      );
      const [one, three] = [bodies.get(1), bodies.get(3)].map(
        (text) => JSON.parse(text ?? '{}') as Seen,
      );
      assert.deepEqual(
        [
          head,
          one?.method,
          one?.url,
          one?.headers['x-mine'],
          one?.headers.upgrade,
          one?.headers['http2-settings'],
        ],
        [SWITCHED, 'GET', '/one?a=1', '1', undefined, undefined],
      );
      assert.equal(three?.url, '/three');
    });

    test('without settings, or for another protocol, the answer is HTTP/1.1', async () => {
      for (const lines of [
        'Connection: Upgrade\r\nUpgrade: h2c',
        'Connection: Upgrade\r\nUpgrade: websocket',
      ]) {
        const { head } = await upgraded(
          mesh.port('caller'),
          `GET /v1.0/healthz HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`,
          '/',
        );
        assert.match(head, /^HTTP\/1\.1 204 /);
      }
    });

    test('with a body', async () => {
      const { bodies, head } = await upgraded(
        mesh.port('caller'),
        `POST ${CALLEE}/one HTTP/1.1\r\nHost: a\r\n${ASK}Content-Length: 5\r\n\r\nhello`,
        `${CALLEE}/three`,
      );
      if (make === 'daprd') {
        assert.deepEqual([head, JSON.parse(bodies.get(1) ?? '{}').body], [SWITCHED, 'hello']);
      } else {
        // Ours answers it over HTTP/1.1, as any server may.
        assert.match(head, /^HTTP\/1\.1 200 /);
      }
    });

    test('a variable turns it off, and the public port has none', async (t) => {
      const env = { DAPR_HTTP_DISABLE_H2C: 'true' };
      const open = await freePort();
      const flags = { 'dapr-public-port': open, 'dapr-public-listen-address': '127.0.0.1' };
      const off = await startFlagged(executable, { flags: {}, env });
      t.after(() => off.stop());
      const on = await startFlagged(executable, { flags });
      t.after(() => on.stop());
      const answers = [off.ports.http, open, on.ports.http].map(hello);
      const kinds = (await Promise.all(answers)).map((text) => text.startsWith('HTTP/1.1 '));
      assert.deepEqual(kinds, [true, true, false]);
    });
  });
}
