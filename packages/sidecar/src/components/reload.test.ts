import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startAlone } from '../testing/start-alone.ts';
import { startApp, temporaryFolder } from '../testing/start-mesh.ts';

describe('changed Component files', () => {
  test('a component comes, is changed and goes without a restart', async (t) => {
    const { folder, get, reload, remove, save, write } = await start(t);
    const before = await save('store', 'a');
    await write('store.yaml', sqlite('store', `${folder}/one.db`));
    await reload();
    const added = await save('store', 'a');
    await write('store.yaml', sqlite('store', `${folder}/two.db`));
    await reload();
    const inTheOther = await get('store');
    await remove('store.yaml');
    await reload();
    const gone = await save('store', 'a');
    assert.deepEqual(
      [before, added, inTheOther, gone],
      ['500 ERR_STATE_STORE_NOT_CONFIGURED', '204', '204', '500 ERR_STATE_STORE_NOT_CONFIGURED'],
    );
  });

  test('are noticed without being told, and shown in the metadata', async (t) => {
    const { metadata, write } = await start(t);
    await write('store.yaml', memory('store', 'state'));
    await until('it is there', async () => {
      const { components = [] } = await metadata();
      return components.some(({ name }) => name === 'store');
    });
  });

  test('one that cannot be used stays as it was; the others change', async (t) => {
    const { folder, lines, reload, save, write } = await start(t, {
      'a.yaml': memory('a', 'state'),
    });
    await write('a.yaml', sqlite('a', '/nowhere/at/all.db'));
    await write('b.yaml', memory('b', 'state'));
    await reload();
    assert.deepEqual([await save('a', 'x'), await save('b', 'x')], ['204', '204']);
    const said = `${folder}/a.yaml: component a (state.sqlite) cannot be used: unable to open database file /nowhere/at/all.db (its folder must be there, and this user must be able to write to it); it stays as it was.`;
    assert.ok(lines.join('').includes(said), lines.join(''));
  });

  test('one that cannot be used and says ignoreErrors is gone, as after the next start', async (t) => {
    const { folder, lines, reload, save, write } = await start(t, {
      'a.yaml': memory('a', 'state'),
      'b.yaml': memory('b', 'state'),
    });
    const broken = sqlite('a', '/nowhere/at/all.db');
    await write('a.yaml', broken.replace('version: v1', 'version: v1, ignoreErrors: true'));
    await reload();
    assert.deepEqual(
      [await save('a', 'x'), await save('b', 'x')],
      ['400 ERR_STATE_STORE_NOT_FOUND', '204'],
    );
    const said = `${folder}/a.yaml: component a (state.sqlite) cannot be used: unable to open database file /nowhere/at/all.db (its folder must be there, and this user must be able to write to it); it is left out (ignoreErrors).`;
    assert.ok(lines.join('').includes(said), lines.join(''));
    await write('a.yaml', memory('a', 'state'));
    await reload();
    assert.equal(await save('a', 'x'), '204');
  });

  test('an input binding that comes begins, and one that goes ends', async (t) => {
    const { events, reload, remove, write } = await start(t);
    await write('tick.yaml', cron('tick', 'one'));
    await reload();
    await until('it brings events', () => events().includes('tick one'));
    await write('tick.yaml', cron('tick', 'two'));
    await reload();
    await until('the changed one does', () => events().includes('tick two'));
    await remove('tick.yaml');
    await reload();
    const before = events().length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.ok(events().length <= before + 1, 'at most the one that was under way');
  });

  test('a file that is no YAML changes nothing', async (t) => {
    const { lines, reload, remove, save, write } = await start(t, {
      'a.yaml': memory('a', 'state'),
    });
    await remove('a.yaml');
    await write('b.yaml', 'kind: Component\nspec: [');
    await reload();
    assert.equal(await save('a', 'x'), '204');
    assert.match(lines.join(''), /b\.yaml:2:\d+: /);
  });

  test('two of one name change nothing, as they would keep the sidecar from starting', async (t) => {
    const { lines, reload, remove, save, write } = await start(t, {
      'a.yaml': memory('a', 'state'),
    });
    await write('b.yaml', memory('twice', 'state'));
    await write('c.yaml', memory('twice', 'pubsub'));
    await remove('a.yaml');
    await reload();
    const meanwhile = [await save('a', 'x'), await save('twice', 'x')];
    await remove('c.yaml');
    await reload();
    assert.deepEqual(
      [meanwhile, await save('a', 'x'), await save('twice', 'x')],
      [['204', '400 ERR_STATE_STORE_NOT_FOUND'], '400 ERR_STATE_STORE_NOT_FOUND', '204'],
    );
    assert.match(
      lines.join(''),
      /duplicate definition of Component name twice \(pubsub\.in-memory\/v1\) with existing twice \(state\.in-memory\/v1\)/,
    );
  });

  test('an empty file, and one that is all comment, has no components', async (t) => {
    const { reload, save, write } = await start(t, {
      'a.yaml': memory('a', 'state'),
      'b.yaml': memory('b', 'state'),
      'c.yaml': memory('c', 'state'),
    });
    await write('a.yaml', '');
    await write('b.yaml', '# not now');
    await reload();
    const gone = '400 ERR_STATE_STORE_NOT_FOUND';
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((store) => save(store, 'x'))), [
      gone,
      gone,
      '204',
    ]);
  });

  test('a Configuration among them is told by its name, and has no effect', async (t) => {
    const { lines, reload, save, write } = await start(t, { 'a.yaml': memory('a', 'state') });
    await write(
      'config.yaml',
      'kind: Configuration\nmetadata: { name: mine }\nspec: { api: { denied: [{ name: state, version: v1 }] } }',
    );
    await reload();
    await reload();
    assert.equal(await save('a', 'x'), '204');
    const told = lines
      .join('')
      .match(
        /config\.yaml:1: Configuration mine has no effect among the resources, as in Dapr; name its file with --config\./g,
      );
    assert.equal(told?.length, 1, lines.join(''));
  });

  test('a broker that is changed keeps its subscriptions, and one that comes has them', async (t) => {
    const { events, publish, reload, write } = await start(t, {
      's.yaml': memory('s', 'state'),
    });
    await write('p.yaml', memory('p', 'pubsub'));
    await reload();
    await publish('p', 1);
    await until('the first is there', () => events().includes(1));
    await write('p.yaml', memory('p', 'pubsub', '{ name: publishingScopes, value: "one=t" }'));
    await reload();
    await publish('p', 2);
    await until('the second is there', () => events().includes(2));
    await write(
      'p.yaml',
      memory('p', 'pubsub', '{ name: subscriptionScopes, value: "one=other" }'),
    );
    await reload();
    await publish('p', 3);
    await write('p.yaml', memory('p', 'pubsub'));
    await reload();
    await publish('p', 4);
    await until('it may again', () => events().includes(4));
    assert.deepEqual(events().includes(3), false);
  });

  test('one that cannot be changed in place says so', async (t) => {
    const { folder, lines, publish, reload, write } = await start(t);
    const outbox = `{ name: outbox, value: "true" }, { name: outboxPath, value: "${folder}/p.db" }`;
    await write('p.yaml', memory('p', 'pubsub', outbox));
    await reload();
    await publish('p', 1);
    await write(
      'p.yaml',
      memory('p', 'pubsub', `${outbox}, { name: outboxMaxMessages, value: 1 }`),
    );
    await reload();
    await publish('p', 2);
    assert.match(
      lines.join(''),
      /p\.yaml: component p \(pubsub\.in-memory\): in force after the next start, since it has an outbox\./,
    );
  });
});

const memory = (name: string, kind: 'state' | 'pubsub', metadata = '') => `
{ apiVersion: dapr.io/v1alpha1, kind: Component, metadata: { name: ${name} },
  spec: { type: ${kind}.in-memory, version: v1, metadata: [${metadata}] } }`;

const sqlite = (name: string, file: string) => `
{ apiVersion: dapr.io/v1alpha1, kind: Component, metadata: { name: ${name} },
  spec: { type: state.sqlite, version: v1, metadata: [{ name: connectionString, value: "${file}" }] } }`;

/** A sidecar whose application subscribes to `t` of broker `p`. */
/** Every second to a route of its own. */
const cron = (name: string, route: string) =>
  `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: bindings.cron, version: v1, metadata: [{ name: schedule, value: "@every 1s" }, { name: route, value: /tick-${route} }] }
`;

async function start(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const folder = await temporaryFolder(t);
  const write = async (name: string, text: string) => {
    await writeFile(path.join(folder, `${name}.new`), text);
    await rename(path.join(folder, `${name}.new`), path.join(folder, name));
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const received: unknown[] = [];
  const appPort = await startApp(t, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      if (req.url === '/dapr/subscribe') {
        res.end('[{"pubsubname":"p","topic":"t","route":"/take"}]');
        return;
      }
      if (req.method === 'POST' && req.url?.startsWith('/tick')) {
        received.push(`tick ${req.url.slice('/tick-'.length)}`);
      }
      if (req.url === '/take') received.push(JSON.parse(String(Buffer.concat(chunks))).data);
      res.end();
    });
  });
  const { lines, sidecar, url } = await startAlone(t, {
    appPort,
    gracefulShutdownMs: 100,
    resourcesPaths: [folder],
  });
  await until('it is ready', async () => (await fetch(`${url}/healthz`)).ok);
  const said = async (answer: Response): Promise<string> => {
    const text = await answer.text();
    return text === '' ? `${answer.status}` : `${answer.status} ${JSON.parse(text).errorCode}`;
  };
  return {
    folder,
    lines,
    write,
    events: () => received,
    remove: (name: string) => rm(path.join(folder, name)),
    reload: () => sidecar.reload(),
    get: async (store: string) => said(await fetch(`${url}/state/${store}/k`)),
    save: async (store: string, value: string) =>
      said(
        await fetch(`${url}/state/${store}`, {
          method: 'POST',
          body: JSON.stringify([{ key: 'k', value }]),
        }),
      ),
    async publish(broker: string, data: number) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(data);
      const answer = await fetch(`${url}/publish/${broker}/t`, { method: 'POST', headers, body });
      assert.equal(answer.status, 204, await answer.text());
    },
    async metadata() {
      return (await (await fetch(`${url}/metadata`)).json()) as {
        components?: readonly { readonly name: string }[];
        subscriptions?: readonly object[];
      };
    },
  };
}
