import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort } from '@holdfast/test-servers';
import { BINDING_REQUESTS } from '../cases/binding-requests.ts';
import { FILE_BINDINGS } from '../cases/file-bindings.ts';
import { HTTP_BINDINGS } from '../cases/http-bindings.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { BINDINGS } from './binding-components.ts';
import { overGrpc, overHttp } from './play-binding.ts';

const CASES = [...FILE_BINDINGS, ...HTTP_BINDINGS, ...BINDING_REQUESTS];

await bothMakes((make, executable) => {
  describe(`${make}, bindings`, () => {
    const told = timedApp();
    let mesh: AppMesh<'caller'>;
    let root = '';
    let dead = 0;
    before(async () => {
      root = await mkdtemp(path.join(tmpdir(), 'holdfast-bindings-'));
      dead = await freePort();
      await symlink('there/real.txt', path.join(root, 'link.txt'));
      const caller = { resources: { 'bindings.yaml': BINDINGS(root, dead) } };
      mesh = await startAppMesh(executable, { caller }, undefined, told.instead);
    });
    after(async () => {
      await mesh?.stop();
      for (const folder of [root, `${root}-told-to`]) {
        await rm(folder, { recursive: true, force: true });
      }
    });
    const masked = (text: string) =>
      text
        .replaceAll(root, '$ROOT')
        .replaceAll(String(mesh.app.port), '$APP')
        .replaceAll(String(dead), '$DEAD')
        .replaceAll(/[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/g, 'UUID');

    for (const one of CASES) {
      test(`HTTP: ${one.name}`, () => overHttp(mesh, one, make, masked));
    }
    for (const one of CASES.filter(({ body }) => typeof body === 'object')) {
      test(`gRPC: ${one.name}`, () => overGrpc(mesh, one, make, masked));
    }

    test('an input binding asks with OPTIONS, unless it says its direction, and 2xx and 405 are a yes', async () => {
      await told.heard(['/tick', '/m405', '/routed-to', '/told/here', '/keeps']);
      // Whoever is not wanted would have been told by now as well.
      await sleep(1_100);
      const methods = (url: string) => [...(told.seen.get(url)?.keys() ?? [])].toSorted().join(' ');
      const urls = ['/tick', '/m405', '/m500', '/refused', '/routed-to', '/routed', '/told/here'];
      assert.deepEqual(
        Object.fromEntries([...urls, '/outcron'].map((url) => [url, methods(url)])),
        {
          '/tick': 'OPTIONS POST',
          '/m405': 'OPTIONS POST',
          '/m500': 'OPTIONS',
          '/refused': 'OPTIONS',
          '/routed-to': 'OPTIONS POST',
          '/routed': '',
          '/told/here': 'POST',
          '/outcron': '',
        },
      );
    });

    test('an event comes with its metadata as headers, and a trace', async () => {
      await told.heard(['/tick']);
      const { body, headers } = told.seen.get('/tick')!.get('POST')!;
      const { 'content-length': length, 'content-type': type, timezone } = headers;
      assert.deepEqual([body, length, type, timezone], ['', '0', 'application/json', 'Local']);
      assert.match(headers.readtimeutc ?? '', /^\d{4}-\d\d-\d\d [\d:.]{8,} \+0000 UTC$/);
      assert.match(headers.traceparent ?? '', /^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
    });

    test('what an application answers with `to` and `state` over HTTP has no effect', async () => {
      await told.heard(['/keeps']);
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0`;
      const state = await fetch(`${url}/state/memory/kept`);
      const binding = await fetch(`${url}/bindings/told-to`, {
        method: 'POST',
        body: '{"operation":"list"}',
      });
      assert.deepEqual([state.status, await binding.text()], [204, 'null']);
    });

    test('the metadata say which way each of them goes', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { components } = (await answer.json()) as {
        components: { name: string; capabilities?: string[] }[];
      };
      const ways = components
        .filter(({ name }) => ['files', 'inward', 'outward', 'outcron', 'tick'].includes(name))
        .map(({ capabilities = [], name }) => `${name} ${capabilities}`);
      assert.deepEqual(ways.toSorted(), [
        'files OUTPUT_BINDING',
        'inward ',
        'outcron ',
        'outward OUTPUT_BINDING',
        'tick INPUT_BINDING',
      ]);
    });
  });
});

/** An application that answers the OPTIONS of each input binding as its name says, and keeps what it saw. */
function timedApp() {
  const seen = new Map<string, Map<string, Seen>>();
  const statuses: Readonly<Record<string, number>> = {
    '/refused': 404,
    '/m405': 405,
    '/m500': 500,
  };
  const kept = {
    to: ['told-to'],
    data: 'from the application',
    storeName: 'memory',
    state: [{ key: 'kept', value: 'v' }],
  };
  return {
    seen,
    instead(one: Seen) {
      const { method, url } = one;
      if (!/^\/(?:tick|told|routed|refused|m405|m500|keeps|outcron)/.test(url)) return undefined;
      seen.set(url, (seen.get(url) ?? new Map<string, Seen>()).set(method, one));
      if (method === 'OPTIONS') return { status: statuses[url] ?? 200, body: '' };
      return { status: 200, body: url === '/keeps' ? JSON.stringify(kept) : '' };
    },
    /** Resolves when an event of each has come. */
    async heard(urls: readonly string[]): Promise<void> {
      const missing = () => urls.filter((url) => seen.get(url)?.get('POST') === undefined);
      await eventually(missing, (urls) => urls.length === 0, 'these are called');
    },
  };
}
