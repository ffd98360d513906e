import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { staticNames } from '../names/static-names.ts';
import { startSidecar } from '../start-sidecar.ts';

describe('components', () => {
  test('refer to secrets of a store, to variables, and in any letter case', async (t) => {
    const { url, folder } = await sidecar(t, (folder) => [
      component(
        'vault',
        'secretstores.local.file',
        `{ name: secretsFile, value: "${folder}/secrets.json" }`,
      ),
      component(
        'orders',
        'state.sqlite',
        '{ name: ConnectionString, secretKeyRef: { name: file, key: file } }, { name: tableName, envRef: TABLE }',
        'auth: { secretStore: vault }',
      ),
    ]);
    const saved = await fetch(`${url}/v1.0/state/orders`, {
      method: 'POST',
      body: '[{"key":"k","value":1}]',
    });
    const database = new DatabaseSync(join(folder, 'orders.db'), { readOnly: true });
    const rows = database.prepare('SELECT key, value FROM things').all();
    database.close();
    assert.deepEqual(
      [saved.status, rows.map((row) => ({ ...row }))],
      [204, [{ key: 'one||k', value: '1' }]],
    );
  });

  test('say which of their metadata have no effect, but not that of what dapr init makes', async (t) => {
    const { lines } = await sidecar(t, (folder) => [
      component(
        'orders',
        'state.sqlite',
        `{ name: connectionString, value: "${folder}/orders.db" }, { name: actorStateStore, value: "true" }, { name: poolSize, value: "3" }, { name: Colour, value: red }`,
      ),
    ]);
    const said = lines.filter((line) => line.includes('no effect'));
    assert.equal(said.length, 1);
    assert.match(
      said[0]!,
      /components\.yaml: metadata poolSize, Colour of component orders \(state\.sqlite\) have no effect\./,
    );
  });

  test('that cannot be used keep the sidecar from starting, and say which and why', async (t) => {
    const failure = (metadata: string, more = '') =>
      sidecar(t, () => [component('orders', 'state.sqlite', metadata, more)]).then(
        () => 'started',
        (error: Error) => error.message.replace(/^.*components\.yaml/, 'components.yaml'),
      );
    assert.deepEqual(
      [
        await failure(''),
        await failure('{ name: connectionString, value: /nowhere/at/all.db }'),
        await failure('{ name: connectionString, secretKeyRef: { name: file } }'),
        await failure(
          '{ name: connectionString, secretKeyRef: { name: file } }',
          'auth: { secretStore: vault }',
        ),
        await failure(
          '{ name: connectionString, value: ":memory:" }, { name: tableName, value: "a b" }',
        ),
      ],
      [
        'components.yaml: component orders (state.sqlite) cannot be used: component orders: metadata connectionString is missing',
        'components.yaml: component orders (state.sqlite) cannot be used: unable to open database file /nowhere/at/all.db (its folder must be there, and this user must be able to write to it)',
        'components.yaml: component orders (state.sqlite) cannot be used: metadata connectionString refers to the secret "file", and no auth.secretStore is named',
        'components.yaml: component orders (state.sqlite) cannot be used: metadata connectionString refers to the secret "file", and there is no secret store "vault"',
        'components.yaml: component orders (state.sqlite) cannot be used: "a b" is no name for a table: letters, digits and _ may stand there',
      ],
    );
  });

  test('that may fail, and those of types that are not here, are left out with a warning', async (t) => {
    const { url, lines } = await sidecar(t, () => [
      component('broken', 'state.sqlite', '', '', 'ignoreErrors: true'),
      component('far', 'state.etcd'),
      component('typed', 'state.sqlit'),
      component('near', 'state.in-memory'),
    ]);
    const { components } = (await (await fetch(`${url}/v1.0/metadata`)).json()) as {
      components: { name: string }[];
    };
    assert.deepEqual(
      components.map(({ name }) => name),
      ['near'],
    );
    const warned = lines.join('\n');
    for (const words of [
      'left out (ignoreErrors)',
      'type state.etcd are not in this version; it is left out',
      'type state.sqlit are not in this version (did you mean state.sqlite?); it is left out',
    ]) {
      assert.ok(warned.includes(words), words);
    }
  });

  test('of a kind that is none keep the sidecar from starting', async (t) => {
    const start = sidecar(t, () => [component('orders', 'stat.redis')]);
    await assert.rejects(
      start,
      /component orders \(stat\.redis\) cannot be used: process component orders error: incorrect type stat\.redis; a type begins with bindings\., .*, state\.$/,
    );
  });

  test('two of one name keep the sidecar from starting', async (t) => {
    const twice = sidecar(t, () => [
      component('typed', 'state.sqlit'),
      component('near', 'state.in-memory'),
      component('near', 'pubsub.in-memory'),
    ]);
    await assert.rejects(twice, (error: Error) => {
      const words =
        'failed to load components: duplicate definition of Component name near (pubsub.in-memory/v1) with existing near (state.in-memory/v1)\nGive each a name of its own, in ';
      return error.message.startsWith(words) && error.message.endsWith('components.yaml.');
    });
  });

  test('of another namespace are not there, once the sidecar has one', async (t) => {
    const named = [
      'metadata: { name: here, namespace: mine }',
      'metadata: { name: there, namespace: other }',
      'metadata: { name: 12 }',
    ].map((metadata) =>
      [
        '',
        'apiVersion: dapr.io/v1alpha1',
        'kind: Component',
        metadata,
        'spec: { type: state.in-memory, version: v1 }',
        '',
      ].join('\n'),
    );
    const seen = [];
    for (const options of [{ namespace: 'mine' }, {}]) {
      const { url } = await sidecar(t, () => named, options);
      const metadata = (await (await fetch(`${url}/v1.0/metadata`)).json()) as {
        components: { name: string }[];
      };
      seen.push(metadata.components.map(({ name }) => name));
    }
    assert.deepEqual(seen, [
      ['here', '12'],
      ['here', 'there', '12'],
    ]);
  });

  test('out of scope are not there', async (t) => {
    const { url } = await sidecar(t, () => [
      component('mine', 'state.in-memory', '', 'scopes: [one]'),
      component('theirs', 'state.in-memory', '', 'scopes: [other]'),
    ]);
    const statuses = [];
    for (const name of ['mine', 'theirs'])
      statuses.push((await fetch(`${url}/v1.0/state/${name}/k`)).status);
    assert.deepEqual(statuses, [204, 400]);
  });

  test('have the prefix of their keys that they ask for', async (t) => {
    const strategies = ['appid', 'name', 'namespace', 'none', 'mine'];
    const { url, folder } = await sidecar(t, (folder) =>
      strategies.map((keyPrefix) =>
        component(
          keyPrefix,
          'state.sqlite',
          `{ name: connectionString, value: "${folder}/${keyPrefix}.db" }, { name: keyPrefix, value: ${keyPrefix} }`,
        ),
      ),
    );
    const keys: unknown[] = [];
    for (const one of strategies) {
      await fetch(`${url}/v1.0/state/${one}`, { method: 'POST', body: '[{"key":"k","value":1}]' });
      const database = new DatabaseSync(join(folder, `${one}.db`), { readOnly: true });
      keys.push(database.prepare('SELECT key FROM state').get()?.key);
      database.close();
    }
    assert.deepEqual(keys, ['one||k', 'name||k', 'one||k', 'k', 'mine||k']);
  });

  test('are behind their policies: a locked database opens its circuit, and conflicts do not', async (t) => {
    const {
      url,
      folder,
      sidecar: running,
    } = await sidecar(t, (folder) => [
      component(
        'orders',
        'state.sqlite',
        `{ name: connectionString, value: "${folder}/orders.db" }`,
      ),
      `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies: { circuitBreakers: { careful: { trip: consecutiveFailures >= 2, timeout: 60s } } }
  targets: { components: { orders: { outbound: { circuitBreaker: careful } } } }
`,
    ]);
    const save = async (item: object) => {
      const answer = await fetch(`${url}/v1.0/state/orders`, {
        method: 'POST',
        body: JSON.stringify([item]),
      });
      const text = await answer.text();
      return [
        answer.status,
        text === '' ? '' : JSON.parse(text).message,
        answer.headers.get('holdfast-refused-by'),
      ];
    };
    for (let n = 0; n < 5; n += 1) await save({ key: 'k', value: 1, etag: 'other' });
    const well = await save({ key: 'k', value: 1 });
    const other = new DatabaseSync(join(folder, 'orders.db'));
    other.exec('BEGIN IMMEDIATE');
    const locked = [await save({ key: 'k', value: 2 }), await save({ key: 'k', value: 3 })];
    const open = await save({ key: 'k', value: 4 });
    other.exec('ROLLBACK');
    other.close();
    const scraped = await (await fetch(`http://127.0.0.1:${running.ports.metrics}/`)).text();

    const failed = 'failed saving state in state store orders';
    const busy = 'database is locked: by another process, for more than 2000 ms (busyTimeout)';
    assert.deepEqual(
      [well, ...locked, open],
      [
        [204, '', null],
        [500, `${failed}: ${busy}`, null],
        [500, `${failed}: ${busy}`, null],
        [500, `${failed}: circuit breaker is open`, 'careful'],
      ],
    );
    assert.match(
      scraped,
      /dapr_component_state_count\{[^}]*component="orders"[^}]*operation="set",success="false"\} 8/,
    );
    assert.match(
      scraped,
      /dapr_resiliency_cb_state\{[^}]*status="open",target="Statestore_orders"\} 1/,
    );
  });

  test('that keep secrets say who refused, as all others do', async (t) => {
    const { url } = await sidecar(t, (folder) => [
      component(
        'vault',
        'secretstores.local.file',
        `{ name: secretsFile, value: "${folder}/secrets.json" }`,
      ),
      `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies: { circuitBreakers: { careful: { trip: consecutiveFailures >= 1, timeout: 60s } } }
  targets: { components: { vault: { outbound: { circuitBreaker: careful } } } }
`,
    ]);
    const get = async () => {
      const answer = await fetch(`${url}/v1.0/secrets/vault/nothing`);
      const { message } = (await answer.json()) as { message: string };
      return [answer.status, message, answer.headers.get('holdfast-refused-by')];
    };
    const failed = 'failed getting secret with key nothing from secret store vault';
    assert.deepEqual(
      [await get(), await get()],
      [
        [500, `${failed}: secret nothing not found`, null],
        [500, `${failed}: circuit breaker is open`, 'careful'],
      ],
    );
  });
});

function component(name: string, type: string, metadata = '', more = '', spec = ''): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: [${metadata}]
${spec === '' ? '' : `  ${spec}\n`}${more}
`;
}

/** A sidecar without an application, with these resources; `folder` has a file of secrets. */
async function sidecar(
  t: TestContext,
  resources: (folder: string) => readonly string[],
  options: { readonly namespace?: string } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-components-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'resources');
  await mkdir(path);
  await writeFile(
    join(folder, 'secrets.json'),
    JSON.stringify({ file: join(folder, 'orders.db') }),
  );
  for (const [at, text] of resources(folder).entries()) {
    const kind = text.includes('kind: Resiliency') ? `resiliency-${at}` : 'components';
    await writeFile(join(path, `${kind}.yaml`), `---${text}`, { flag: 'a' });
  }
  const lines: string[] = [];
  const running = await startSidecar(
    {
      appId: 'one',
      httpPort: 0,
      metricsPort: 0,
      resourcesPaths: [path],
      names: staticNames({}),
      ...options,
    },
    {
      log: createLogger({ write: (line) => void lines.push(line) }),
      variables: { TABLE: 'things' },
    },
  );
  t.after(() => running.stop({ force: true }));
  return { folder, lines, sidecar: running, url: `http://127.0.0.1:${running.ports.http}` };
}
