import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort } from '@holdfast/test-servers';
import type { BindingCase, BindingExpected, Operation } from '../cases/binding-case.ts';
import { BINDING_REQUESTS } from '../cases/binding-requests.ts';
import { FILE_BINDINGS } from '../cases/file-bindings.ts';
import { HTTP_BINDINGS } from '../cases/http-bindings.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { BINDINGS } from './binding-components.ts';

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

async function overHttp(
  mesh: AppMesh<'caller'>,
  { body, daprd, expect, headers = {}, method = 'POST', to }: BindingCase,
  make: Make,
  masked: (text: string) => string,
): Promise<void> {
  const wanted = (make === 'daprd' ? daprd?.expect : undefined) ?? expect;
  const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/bindings/${to}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = masked((await answer.text()).trim());
  assert.equal(answer.status, wanted.status, text);
  if (wanted.error !== undefined) {
    const [errorCode, message] = wanted.error;
    assert.deepEqual(JSON.parse(text), { errorCode, message: whole(message, errorCode, to) });
  }
  sameData(text, wanted);
  for (const [name, value] of Object.entries(wanted.metadata ?? {})) {
    assert.equal(answer.headers.get(`metadata.${name}`), value, name);
  }
}

async function overGrpc(
  mesh: AppMesh<'caller'>,
  { body, daprd, expect, to }: BindingCase,
  make: Make,
  masked: (text: string) => string,
): Promise<void> {
  const otherwise = make === 'daprd' && daprd?.httpOnly !== true ? daprd?.expect : undefined;
  const wanted = otherwise ?? expect;
  const { data, metadata = {}, operation = '' } = body as Operation;
  const bytes = data === undefined ? '' : typeof data === 'string' ? data : JSON.stringify(data);
  const request = { name: to, operation, metadata: { ...metadata }, data: Buffer.from(bytes) };
  const client = daprClient(mesh.grpcPort('caller'));
  const result = (await outcome((options) => client.invokeBinding(request, options))) as {
    readonly code?: number;
    readonly message?: string;
    readonly details?: readonly { readonly reason?: string }[];
    readonly answer?: { readonly data: string; readonly metadata: Record<string, string> };
  };
  if (wanted.error !== undefined) {
    const [reason, message] = wanted.error;
    const got = [result.code, masked(result.message ?? ''), result.details?.[0]?.reason];
    assert.deepEqual(got, [13, whole(message, reason, to), reason]);
    return;
  }
  // The bytes as they are, where HTTP has them as JSON.
  const app =
    wanted.app === undefined || wanted.app.body === ''
      ? wanted.app
      : { ...wanted.app, body: bytes };
  const text = Buffer.from(result.answer?.data ?? '', 'latin1').toString();
  sameData(masked(text), app === undefined ? wanted : { ...wanted, app });
  for (const [name, value] of Object.entries(wanted.metadata ?? {})) {
    assert.equal(result.answer?.metadata[name], value, name);
  }
}

function sameData(text: string, { app, body }: BindingExpected): void {
  if (body !== undefined) assert.equal(text, body);
  if (app === undefined) return;
  const seen = JSON.parse(text) as Seen;
  assert.deepEqual([`${seen.method} ${seen.url}`, seen.body], [app.call, app.body]);
  for (const [name, value] of Object.entries(app.headers)) {
    assert.equal(seen.headers[name], value, name);
  }
  for (const name of ['x-small', 'transfer-encoding']) assert.equal(seen.headers[name], undefined);
  assert.match(seen.headers.traceparent ?? '', /^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
}

function whole(message: string, code: string, to: string): string {
  if (code !== 'ERR_INVOKE_OUTPUT_BINDING') return message;
  return `error invoking output binding ${to}: ${message}`;
}

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
