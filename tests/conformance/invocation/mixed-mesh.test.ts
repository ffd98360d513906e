import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { failures } from '../cases/failures.ts';
import { RPC_INVOCATIONS } from '../cases/grpc-invocations.ts';
import { IDENTITY_APPS, type IdentityApp, identityCases } from '../cases/identity.ts';
import { policies } from '../cases/policies.ts';
import { urlForms } from '../cases/url-forms.ts';
import { verbsAndHeaders } from '../cases/verbs-and-headers.ts';
import { type AppMesh, type AppSetup, startAppMesh } from '../makes/app-mesh.ts';
import type { Make } from '../makes/both-makes.ts';
import { findDaprd } from '../makes/daprd.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { playCase } from '../makes/play-case.ts';
import { type Sentry, startSentry } from '../makes/sentry.ts';

const daprd = await findDaprd();
const tables = { urlForms, verbsAndHeaders, failures, policies };

/** Where the makes differ it is the caller's way that counts, but here. */
const WAYS: Readonly<Record<string, Make | 'callee'>> = {
  // One daprd on the way is enough to make a slash of it, and to end as whole what was cut.
  'path: escaped slash stays escaped': 'daprd',
  'application dies half way: the answer is broken': 'daprd',
  'application dies half way, chunked: the answer is broken': 'daprd',
  // One of ours is enough for this.
  'nobody can pretend to be another caller': 'holdfast',
  'path: escaped percent sign stays': 'callee',
  'a verb that Dapr does not know': 'callee',
};

/** An escaped slash that daprd sends is none any more when it comes to the list of ours. */
const NOT_BETWEEN_THEM = new Set(['an escaped slash must be allowed in both readings']);

if (daprd === undefined) {
  test('real daprd', {
    skip: '../shared/peers has no daprd: there is nobody to mix with',
  }, () => {});
} else {
  mixed('holdfast', { caller: undefined, others: daprd });
  mixed('daprd', { caller: daprd, others: undefined });
}

/** A mesh that changes over one sidecar at a time: the caller is of one make, all others of the other. */
function mixed(
  make: Make,
  { caller, others }: { readonly caller: string | undefined; readonly others: string | undefined },
): void {
  const callee: Make = make === 'daprd' ? 'holdfast' : 'daprd';
  const wayOf = (name: string): Make => {
    const way = WAYS[name] ?? make;
    return way === 'callee' ? callee : way;
  };

  describe(`${make} calls ${callee}`, { concurrency: 4 }, () => {
    let app: GrpcApp;
    let mesh: Mesh;
    before(async () => {
      app = await startGrpcApp();
      mesh = await startMesh(caller, { others: { daprd: others }, grpcAppPort: app.port });
    });
    after(async () => {
      await mesh?.stop();
      app.close();
    });

    for (const [table, cases] of Object.entries(tables)) {
      for (const one of cases) {
        test(`${table}: ${one.name}`, () => playCase(mesh, one, wayOf(one.name)));
      }
    }

    for (const one of RPC_INVOCATIONS) {
      test(`by the gRPC API: ${one.name}`, async () => {
        const client = daprClient(mesh.grpcPort('caller'));
        const { want } = make === 'daprd' && one.daprd !== undefined ? one.daprd : one;
        assert.deepEqual(await outcome((o) => one.call(client, o), one.shown), want);
      });
    }

    test('gRPC passes through: messages, trailers, errors, bytes, and who calls', async () => {
      const call = (mode: string, messages: readonly string[], more = {}) =>
        rawRpc(mesh.grpcPort('caller'), `/any.Service/${mode || 'Plain'}`, messages, {
          'dapr-app-id': 'spoken',
          'x-mode': mode,
          'mine-bin': 'AAEC',
          ...more,
        });
      const plain = await call('', ['one', 'two']);
      const stream = await call('stream', ['a', 'b', 'c'], { 'dapr-stream': 'true' });
      const late = await call('late', ['x']);
      const refused = await call('refuse-7', ['x']);
      const seen = JSON.parse(String(plain.trailers['x-seen'])) as { caller: string };
      assert.deepEqual(
        [plain.status, plain.messages, seen.caller.split(', ').at(-1), plain.head['head-bin']],
        ['0', ['one', 'two'], 'caller', 'AAH/'],
      );
      assert.deepEqual([stream.status, stream.messages], ['0', ['a', 'b', 'c']]);
      assert.deepEqual([late.status, late.message, late.messages], ['5', 'gone', ['x']]);
      const { 'x-head': head, 'grpc-status-details-bin': details } = refused.trailers;
      assert.deepEqual(
        [refused.status, refused.message, head, details],
        ['7', 'not you%', 'only', 'CAUSA25v'],
      );
    });

    test('an application over gRPC answers clients of HTTP, and its errors reach them', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method`;
      const good = await fetch(`${at}/do?q=1`, { method: 'PUT', body: 'x'.repeat(3_000_000) });
      const seen = (await good.json()) as { method: string; querystring: string; body: string };
      const missing = await fetch(`${at}/missing`);
      assert.deepEqual(
        [good.status, seen.method, seen.querystring, seen.body.length],
        [200, 'do', 'q=1', 3_000_000],
      );
      assert.deepEqual(
        [missing.status, await missing.json()],
        [404, { code: 5, message: 'no such thing' }],
      );
    });

    test('a body without a length, and a large answer, come whole', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/callee/method`;
      const body = new ReadableStream<Uint8Array>({
        async start(sink) {
          for (let part = 0; part < 20; part += 1) {
            sink.enqueue(Buffer.alloc(40_000, part % 2 === 0 ? 'a' : 'b'));
            await new Promise((resolve) => setImmediate(resolve));
          }
          sink.close();
        },
      });
      const init = { method: 'POST', body, duplex: 'half' };
      const sent = await fetch(`${at}/chunks`, init as RequestInit);
      const seen = (await sent.json()) as { body: string };
      assert.equal(seen.body, ('a'.repeat(40_000) + 'b'.repeat(40_000)).repeat(10));
      const large = await fetch(`${at}/large?bytes=20000000`);
      assert.equal((await large.arrayBuffer()).byteLength, 20_000_000);
    });
  });

  describe(`${make} calls ${callee}, each knows the other by its certificate`, () => {
    let sentry: Sentry;
    let mesh: AppMesh<IdentityApp>;
    before(async () => {
      sentry = await startSentry();
      const own = Object.entries<AppSetup>(IDENTITY_APPS).map(([role, setup]) => {
        const calls = role === 'caller' || role === 'stranger';
        return [role, calls ? setup : { ...setup, make: { daprd: others } }];
      });
      mesh = await startAppMesh(caller, Object.fromEntries(own), sentry);
    });
    after(async () => {
      await mesh?.stop();
      await sentry.stop();
    });

    for (const one of identityCases) {
      if (NOT_BETWEEN_THEM.has(one.name)) continue;
      test(one.name, () => playCase(mesh, one, wayOf(one.name)));
    }
  });
}
