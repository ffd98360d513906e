import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresServer, Unavailable } from '@holdfast/test-servers';
import { bothMakes, type Make } from './both-makes.ts';
import { COMPONENTS, item, OTHERS, POSTGRES, SECRETS, STATE, type Step } from './cases/state.ts';
import { type Mesh, startMesh } from './mesh.ts';

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
      for (const [name, steps] of Object.entries(STATE)) {
        // daprd does support it over the first layout: a gap of ours that the reference page names.
        if (store === 'postgres' && name.startsWith('a query')) continue;
        run(`${store}: ${name}`, (mesh) => play(mesh, make, steps, store));
      }
      run(`${store}: an item lives as long as it was told to`, (mesh) => livesAndDies(mesh, store));
    }
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
      for (const [name, steps] of Object.entries(STATE)) {
        test(`${store}: ${name}`, () => play(mesh, make, steps, store));
      }
      test(`${store}: an item lives as long as it was told to`, () => livesAndDies(mesh, store));
    }
    for (const [name, steps] of Object.entries(OTHERS)) {
      test(name, () => play(mesh, make, steps, ''));
    }

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
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await fetch(`${at}/mortal`);
    if (status === 204) return;
    await sleep(100);
  }
  assert.fail('it did not die');
}

async function play(mesh: Mesh, make: Make, steps: readonly Step[], store: string) {
  let etag = '';
  const filled = <T>(value: T): T => {
    const text = JSON.stringify(value)?.replaceAll('$S', store).replaceAll('{etag}', etag);
    return text === undefined ? value : JSON.parse(text);
  };
  for (const step of steps) {
    const [method, path, body, headers = {}] = filled(step.send);
    const url = new URL(path, `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/`);
    // The table writes other APIs as ../v1.0/…
    url.pathname = url.pathname.replace('/v1.0/v1.0', '/v1.0');
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    etag = answer.headers.get('etag') ?? etag;
    const [status, wanted] = filled(
      (make === 'daprd' ? otherwise(step, store)?.expect : undefined) ?? step.expect,
    );
    const what = `${method} ${path}: ${answer.status} ${text}`;
    // daprd answers a bulk get of some stores in any order; ours is in that of the keys.
    const sort = make === 'daprd' && path.endsWith('/bulk');
    assert.equal(answer.status, status, what);
    const actual: unknown = text === '' ? '' : JSON.parse(text);
    const [one, other] = sort ? [byKey(actual), byKey(wanted)] : [actual, wanted];
    assert.deepEqual(masked(one, other), other, what);
  }
}

function otherwise({ daprd, daprdOver }: Step, store: string) {
  return daprdOver?.[0].test(store) ? daprdOver[1] : daprd;
}

function byKey(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.toSorted((a, b) => String(a.key).localeCompare(String(b.key)));
}

/** The answer with what the table does not care about put as the table has it: `*` stands for any text. */
function masked(actual: unknown, wanted: unknown): unknown {
  if (typeof wanted === 'string' && wanted.includes('*') && typeof actual === 'string') {
    const pattern = wanted.split('*').map((part) => part.replaceAll(/[.[\](){}|?+^$\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`, 's').test(actual) ? wanted : actual;
  }
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.map((one, at) => masked(one, wanted[at]));
  }
  if (isObject(actual) && isObject(wanted)) {
    return Object.fromEntries(
      Object.entries(actual).map(([name, one]) => [name, masked(one, wanted[name])]),
    );
  }
  return actual;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
