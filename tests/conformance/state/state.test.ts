import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { postgresServer, Unavailable, until } from '@holdfast/test-servers';
import { COMPONENTS, item, OTHERS, POSTGRES, SECRETS, STATE } from '../cases/state.ts';
import { STATE_KEYS } from '../cases/state-keys.ts';
import { QUERIES } from '../cases/state-query.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { playSteps } from '../makes/play-steps.ts';

process.env.HOLDFAST_TEST_SECRET = 'hush';
await bothMakes(conformance);
await bothMakes(overPostgres);

function overPostgres(make: Make, executable: string | undefined): void {
  describe(`${make}, state in PostgreSQL`, async () => {
    let mesh: Mesh;
    let server: Awaited<ReturnType<typeof postgresServer>>;
    before(async () => {
      server = await postgresServer();
      if (server instanceof Unavailable) return;
      mesh = await startMesh(executable, {
        resources: { 'components.yaml': POSTGRES.replaceAll('$URL', server.url) },
      });
    });
    after(async () => {
      await mesh?.stop();
      if (server !== undefined && !(server instanceof Unavailable)) await server.process.remove();
    });
    const run = (name: string, body: (mesh: Mesh) => Promise<void>) =>
      test(name, async (t) => {
        if (!(server instanceof Unavailable)) await body(mesh);
        else if (process.env.CI === 'true') throw new Error(server.why);
        else t.skip(server.why);
      });
    for (const store of ['postgres', 'postgres2']) {
      for (const [name, steps] of Object.entries({ ...STATE, ...STATE_KEYS })) {
        // The first layout, whose values are JSON, has queries.
        if (store === 'postgres' && name.startsWith('a query')) continue;
        run(`${store}: ${name}`, (mesh) => playSteps(mesh, make, steps, store));
      }
      run(`${store}: an item lives as long as it was told to`, (mesh) => livesAndDies(mesh, store));
    }
    for (const [name, steps] of Object.entries(QUERIES)) {
      run(name, (mesh) => playSteps(mesh, make, steps, 'queried'));
    }
    run('a query over gRPC', async (mesh) => {
      const client = daprClient(mesh.grpcPort('caller'));
      const filter = { EQ: { city: 'Portland' } };
      const { results, token } = await client.queryStateAlpha1({
        storeName: 'queried',
        query: JSON.stringify({ filter, page: { limit: 1 } }),
      });
      const shown = results.map(({ key, data }) => [key, JSON.parse(Buffer.from(data).toString())]);
      assert.deepEqual(
        [shown, token],
        [[['bob', { person: { org: 'Ops', id: 10 }, city: 'Portland' }]], '1'],
      );
    });
  });
}

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, state and secrets`, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        resources: { 'components.yaml': COMPONENTS, 'secrets.json': SECRETS },
      });
    });
    after(() => mesh.stop());

    for (const store of ['memory', 'sqlite']) {
      for (const [name, steps] of Object.entries({ ...STATE, ...STATE_KEYS })) {
        test(`${store}: ${name}`, () => playSteps(mesh, make, steps, store));
      }
      test(`${store}: an item lives as long as it was told to`, () => livesAndDies(mesh, store));
    }
    for (const [name, steps] of Object.entries(OTHERS)) {
      test(name, () => playSteps(mesh, make, steps, ''));
    }

    test('the answer to a bulk get is a line, to the byte', async () => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/memory/bulk`;
      const answer = await fetch(url, { method: 'POST', body: '{"keys":["nobodys"]}' });
      assert.equal(await answer.text(), '[{"key":"nobodys"}]\n');
    });

    test('the metadata lists the components and what they can do', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { components } = (await answer.json()) as {
        components: { name: string; type: string; version: string; capabilities?: string[] }[];
      };
      const shown = components
        .map(({ name, type, version, capabilities = [] }) => {
          const can = ['ETAG', 'TRANSACTIONAL', 'TTL'].filter((one) => capabilities.includes(one));
          return [name, type, version, ...can].join(' ');
        })
        .sort();
      assert.deepEqual(shown, [
        'bare state.in-memory v1 ETAG TRANSACTIONAL TTL',
        'file secretstores.local.file v1',
        'memory state.in-memory v1 ETAG TRANSACTIONAL TTL',
        'sqlite state.sqlite v1 ETAG TRANSACTIONAL TTL',
        'variables secretstores.local.env v1',
      ]);
    });
  });
}

async function livesAndDies(mesh: Mesh, store: string): Promise<void> {
  const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/${store}`;
  const body = JSON.stringify(item('mortal', 1));
  await fetch(`${at}?metadata.ttlInSeconds=2`, { method: 'POST', body });
  const alive = await fetch(`${at}/mortal`);
  assert.match(
    alive.headers.get('metadata.ttlexpiretime') ?? '',
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  );
  assert.equal(await alive.text(), '1');
  await until('it is gone', async () => (await fetch(`${at}/mortal`)).status === 204);
}
