import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

await bothMakes(conformance, 'bindings/http');

/** What Go's HTTP client does of its own accord, and users of `bindings.http` see. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the client behind bindings.http`, () => {
    let web: WebServer;
    let other: WebServer;
    let mesh: Mesh;
    before(async () => {
      other = await webServer();
      web = await webServer(other.origin);
      const component = (name: string, url: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: bindings.http
  version: v1
  metadata:
    - { name: url, value: "${url}" }
    - { name: securityToken, value: open-sesame }
    - { name: securityTokenHeader, value: X-Token }
scopes: [caller]
`;
      mesh = await startMesh(executable, {
        resources: {
          'web.yaml': component('web', web.origin),
          'signed.yaml': component('signed', web.origin.replace('//', '//me:p%40ss@')),
        },
      });
    });
    after(async () => {
      await mesh?.stop();
      for (const server of [web, other]) await server.close();
    });

    const invoke = async (
      name: string,
      operation: string,
      metadata: Readonly<Record<string, string>>,
      data?: unknown,
    ) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/bindings/${name}`;
      const body = JSON.stringify({ operation, metadata, data });
      const answer = await fetch(url, { method: 'POST', body });
      const text = await answer.text();
      return { status: answer.status, text, headers: answer.headers };
    };

    for (const [status, method, body] of [
      [301, 'GET', ''],
      [302, 'GET', ''],
      [303, 'GET', ''],
      [307, 'POST', '"x"'],
      [308, 'POST', '"x"'],
    ] as const) {
      test(`${status} is followed, with ${method}`, async () => {
        const path = `/moved?status=${status}&to=/there`;
        const { status: said, text } = await invoke('web', 'post', { path }, 'x');
        assert.equal(said, 200, text);
        const { authorization: _, ...seen } = JSON.parse(text);
        assert.deepEqual(seen, { method, url: '/there', body, token: 'open-sesame' });
      });
    }

    test('a redirect without a place is an answer like others', async () => {
      const { status, text } = await invoke('web', 'get', { path: '/moved?status=302' });
      assert.deepEqual(
        [status, JSON.parse(text).message],
        [500, 'error invoking output binding web: received status code 302'],
      );
    });

    test('a server that sends it round and round is given up', async () => {
      const { status, text } = await invoke('web', 'get', { path: '/moved?status=302&to=/round' });
      assert.equal(status, 500);
      assert.match(JSON.parse(text).message, /stopped after 10 redirects$/);
    });

    test('another host is asked too, and hears no password', async () => {
      const { text } = await invoke('signed', 'get', { path: '/moved?status=302&to=$OTHER' });
      const { authorization, token, url } = JSON.parse(text);
      // daprd hands the security token on to whatever host the answer names.
      const heard = make === 'daprd' ? 'open-sesame' : undefined;
      assert.deepEqual([url, authorization, token], ['/elsewhere', undefined, heard]);
    });

    test('a name and password in the url sign in', async () => {
      const { text } = await invoke('signed', 'get', { path: '/there' });
      const wanted = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
      assert.equal(JSON.parse(text).authorization, wanted);
    });

    test('a compressed answer is told as what it says', async () => {
      const { headers, text } = await invoke('web', 'get', { path: '/squeezed' });
      assert.deepEqual(
        [text, headers.get('metadata.content-encoding')],
        ['squeezed '.repeat(20), null],
      );
    });

    test('who asks for a compressed answer has it as it came', async () => {
      const { headers } = await invoke('web', 'get', {
        path: '/squeezed',
        'Accept-Encoding': 'gzip',
      });
      assert.equal(headers.get('metadata.content-encoding'), 'gzip');
    });
  });
}

interface WebServer {
  readonly origin: string;
  close(): Promise<void>;
}

async function webServer(elsewhere = ''): Promise<WebServer> {
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://web');
    const status = Number(searchParams.get('status') ?? 200);
    if (pathname === '/moved') {
      const to = searchParams.get('to')?.replace('$OTHER', `${elsewhere}/elsewhere`);
      res.writeHead(status, to === undefined ? {} : { location: to }).end();
    } else if (pathname === '/round') {
      res.writeHead(302, { location: '/round' }).end();
    } else if (pathname === '/squeezed') {
      const wants = /gzip/.test(String(req.headers['accept-encoding']));
      const text = Buffer.from('squeezed '.repeat(20));
      res.writeHead(200, wants ? { 'content-encoding': 'gzip' } : {});
      res.end(wants ? gzipSync(text) : text);
    } else {
      const { authorization, 'x-token': token } = req.headers;
      const body = Buffer.concat(chunks).toString();
      const { method, url } = req;
      res.end(JSON.stringify({ method, url, body, token, authorization }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
