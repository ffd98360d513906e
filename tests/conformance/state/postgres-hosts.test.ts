import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, postgresServer, Unavailable, until } from '@holdfast/test-servers';
import pg from 'pg';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { startFailure } from '../makes/one-sidecar.ts';

/** `first` takes writes, `second` only reads, unless a session asks for more; at `dead` nobody listens. */
interface Ports {
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly dead: number;
}

const servers = await Promise.all([postgresServer(), postgresServer(), postgresServer()]);
for (const one of servers) if (!(one instanceof Unavailable)) after(() => one.process.remove());
const [first, second, third] = servers;
if (first instanceof Unavailable || second instanceof Unavailable || third instanceof Unavailable) {
  const missing = servers.find((one) => one instanceof Unavailable) as Unavailable;
  if (process.env.CI === 'true') throw new Error(missing.why);
  test('several hosts of PostgreSQL', { skip: missing.why }, () => {});
} else {
  await ask(second.port, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await ask(second.port, 'SELECT pg_reload_conf()');
  const ports = {
    first: first.port,
    second: second.port,
    third: third.port,
    dead: await freePort(),
  };
  await bothMakes((make, executable) => {
    refusals(make, executable, ports);
    answers(make, executable, ports);
    describe(`${make}, PostgreSQL on several hosts, of which one goes`, () => {
      after(() => third.process.restart());
      whenOneGoes(make, executable, { ...ports, stop: () => third.process.stop() });
    });
  });
}

function answers(make: Make, executable: string | undefined, ports: Ports): void {
  const { dead, first, second } = ports;
  const both = 'host=127.0.0.1,127.0.0.1';
  const who = 'user=postgres database=postgres sslmode=disable';
  const strings: Readonly<Record<string, string>> = {
    dsn: `${both} port=${dead},${first} ${who}`,
    url: `postgres://postgres@127.0.0.1:${dead},127.0.0.1:${first}/postgres?sslmode=disable`,
    prefer: `${both} port=${dead},${first} user=postgres database=postgres`,
    writes: `${both} port=${second},${first} ${who} target_session_attrs=read-write`,
    primary: `${both} port=${dead},${first} ${who} target_session_attrs=primary`,
    oneport: `${both} port=${first} ${who}`,
  };
  describe(`${make}, PostgreSQL on several hosts`, () => {
    let mesh: Mesh;
    before(async () => {
      const resources = Object.entries(strings).map(([name, text]) =>
        component(`${name}`, make, text),
      );
      mesh = await startMesh(executable, { resources: { 'stores.yaml': resources.join('---') } });
    });
    after(() => mesh?.stop());

    for (const name of Object.keys(strings)) {
      test(`${name}: the first that answers, and is as wanted, has what is written`, async () => {
        const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/${name}`;
        const body = JSON.stringify([{ key: name, value: 1 }]);
        const saved = await fetch(at, { method: 'POST', body });
        assert.equal(saved.status, 204, await saved.text());
        assert.equal(await (await fetch(`${at}/${name}`)).text(), '1');
        const sql = `SELECT count(*)::int AS count FROM ${name}_${make}`;
        assert.deepEqual(await ask(first, sql), [{ count: 1 }]);
      });
    }
  });
}

function refusals(make: Make, executable: string | undefined, ports: Ports): void {
  const { dead, first, second } = ports;
  const who = 'host=127.0.0.1,127.0.0.1 user=postgres sslmode=disable';
  const rows: readonly (readonly [title: string, text: string, said: RegExp])[] = [
    [
      'nobody is there',
      `${who} database=postgres port=${dead},${dead + 1}`,
      new RegExp(`127.0.0.1:${dead} .*refused.*127.0.0.1:${dead + 1} .*refused`, 's'),
    ],
    [
      'none is as wanted',
      `${who} database=postgres port=${second},${dead} target_session_attrs=read-write`,
      /read only connection/,
    ],
    [
      'the first that answers takes no writes, and nobody asked for one that does',
      `${who} database=postgres port=${second},${first}`,
      /read-only transaction/,
    ],
    [
      'another host is not asked what the first refuses for good',
      `${who} database=nowhere port=${first},${dead}`,
      /^(?!.*refused).*SQLSTATE 3D000/s,
    ],
    [
      'a kind of server that there is not',
      `${who} database=postgres port=${first},${dead} target_session_attrs=best`,
      /target_session_attrs/,
    ],
  ];
  describe(`${make}, several hosts of which none will do`, () => {
    for (const [title, text, said] of rows) {
      test(title, async (t) => {
        const resources = await mkdtemp(path.join(tmpdir(), 'holdfast-hosts-'));
        t.after(() => rm(resources, { recursive: true, force: true }));
        await writeFile(path.join(resources, 'store.yaml'), component('it', make, text));
        const start = { role: 'caller', appPort: undefined, resources, secured: false };
        const failure = await startFailure(executable, { ...start, configs: [] });
        assert.match(failure ?? 'it started', said);
      });
    }
  });
}

/** Both have the tables, as where one follows the other. */
function whenOneGoes(
  make: Make,
  executable: string | undefined,
  { first, third, stop }: Ports & { readonly stop: () => Promise<void> },
): void {
  let mesh: Mesh;
  before(async () => {
    const who = 'user=postgres database=postgres sslmode=disable';
    const resources = {
      'one.yaml': component('going', make, `host=127.0.0.1 port=${first} ${who}`),
      'two.yaml': component(
        'both',
        make,
        `host=127.0.0.1,127.0.0.1 port=${third},${first} ${who}`,
        'going',
      ),
    };
    mesh = await startMesh(executable, { resources });
  });
  after(() => mesh?.stop());

  test('new connections go to the next, while it runs', async () => {
    const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/both`;
    const save = async (key: string) => {
      const body = JSON.stringify([{ key, value: 1 }]);
      return (await fetch(at, { method: 'POST', body })).status;
    };
    assert.equal(await save('before'), 204);
    await stop();
    await until('it writes to the other', async () => (await save('after')) === 204);
    const sql = `SELECT key FROM going_${make}`;
    assert.deepEqual(await ask(first, sql), [{ key: 'caller||after' }]);
  });
}

async function ask(port: number, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const component = (name: string, make: Make, connectionString: string, table = name) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: state.postgresql
  version: v1
  metadata:
    - { name: connectionString, value: "${connectionString}" }
    - { name: tableName, value: ${table}_${make} }
    - { name: metadataTableName, value: ${table}_${make}_meta }
`;
