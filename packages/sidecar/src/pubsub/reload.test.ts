import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startAlone } from '../testing/start-alone.ts';
import { temporaryFolder } from '../testing/start-mesh.ts';

describe('changed Subscription files', () => {
  test('are in force without a restart: one comes, is changed, goes', async (t) => {
    const { app, publish, subscribed, write, remove } = await start(t);
    await write('new.yaml', subscription('t', '/first'));
    await until('it is there', async () => (await subscribed()).includes('t'));
    await publish('t', 1);
    await until('it is delivered', () => app.at('/first').length === 1);

    await write('new.yaml', subscription('t', '/second'));
    await until('it goes elsewhere', async () => {
      await publish('t', 2);
      return app.at('/second').length > 0;
    });

    await remove('new.yaml');
    await until('it is gone', async () => !(await subscribed()).includes('t'));
  });

  test('lose no event while they change', async (t) => {
    const { app, publish, reload, write } = await start(t, { 'a.yaml': subscription('t', '/one') });
    let sent = 0;
    let changing = true;
    const publishing = (async () => {
      while (changing) await publish('t', ++sent);
    })();
    for (const route of ['/two', '/three', '/one']) {
      const bulk = route === '/two' ? '{ enabled: true, maxAwaitDurationMs: 3600000 }' : undefined;
      await write('a.yaml', subscription('t', route, bulk));
      await reload();
      const before = sent;
      await until('more is published', () => sent > before + 20);
    }
    changing = false;
    await publishing;
    await until('all arrive', () => app.data().length >= sent);
    assert.deepEqual(new Set(app.data()).size, sent);
  });

  test('that are broken change nothing, and are told with file and line', async (t) => {
    const { app, lines, publish, reload, subscribed, write } = await start(t, {
      'a.yaml': subscription('kept', '/kept'),
    });
    await write('a.yaml', subscription('other', '/other'));
    await write('b.yaml', `# a comment\n${subscription('t', '')}`);
    await reload();
    await write('b.yaml', 'kind: Subscription\nspec: [');
    await reload();
    await publish('kept', 1);
    await until('it is delivered', () => app.at('/kept').length === 1);
    assert.deepEqual(await subscribed(), ['kept']);
    const said = lines.join('');
    assert.match(said, /b\.yaml:2: Subscription left out: the subscription to t has no route/);
    assert.match(said, /A resource cannot be read: \S+b\.yaml:2:\d+: /);
    assert.match(said, /The resources are broken: they stay as they were\./);

    await write('b.yaml', subscription('t', '/t'));
    await reload();
    assert.deepEqual((await subscribed()).toSorted(), ['other', 't']);
  });

  test('let what the application has in hand end', async (t) => {
    const { app, publish, reload, remove } = await start(t, {
      'a.yaml': subscription('t', '/hang'),
    });
    await publish('t', 1);
    await until('it is in hand', () => app.at('/hang').length === 1);
    await remove('a.yaml');
    await reload();
    app.release();
    await until('it has ended', () => app.ended() === 1);
    assert.equal(app.cutOff(), 0);
  });

  test('never count over what the application says of the same topic', async (t) => {
    const asked = [{ pubsubname: 'p', topic: 't', route: '/asked' }];
    const { app, publish, reload, subscribed, write } = await start(
      t,
      { 'a.yaml': subscription('t', '/declared') },
      asked,
    );
    await publish('t', 1);
    await until('the application counts', () => app.at('/asked').length === 1);
    await write('a.yaml', subscription('t', '/changed'));
    await reload();
    await publish('t', 2);
    await until('it still does', () => app.at('/asked').length === 2);
    assert.deepEqual(await subscribed(), ['t']);
  });
});

const subscription = (topic: string, route: string, bulk?: string) =>
  `
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: ${topic} }
spec:
  pubsubname: p
  topic: ${topic}
  routes: { default: ${JSON.stringify(route)} }
  ${bulk === undefined ? '' : `bulkSubscribe: ${bulk}`}
`.trimStart();

const BROKER = `{ apiVersion: dapr.io/v1alpha1, kind: Component, metadata: { name: p },
  spec: { type: pubsub.in-memory, version: v1 } }`;

/** A sidecar with one broker and what the files and the application say of subscriptions. */
async function start(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
  asked: readonly object[] = [],
) {
  const folder = await temporaryFolder(t);
  // Whole at once, as an editor does: half a file is another test.
  const write = async (name: string, text: string) => {
    await writeFile(path.join(folder, `${name}.new`), text);
    await rename(path.join(folder, `${name}.new`), path.join(folder, name));
  };
  await write('broker.yaml', BROKER);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const app = await recordingApp(t, asked);
  const { lines, sidecar, url } = await startAlone(t, {
    appPort: app.port,
    resourcesPaths: [folder],
  });
  await until('it is ready', async () => (await fetch(`${url}/healthz`)).ok);
  return {
    app,
    lines,
    write,
    remove: (name: string) => rm(path.join(folder, name)),
    reload: () => sidecar.reload(),
    async subscribed(): Promise<readonly string[]> {
      const { subscriptions = [] } = (await (await fetch(`${url}/metadata`)).json()) as {
        subscriptions?: readonly { readonly topic: string }[];
      };
      return subscriptions.map(({ topic }) => topic);
    },
    async publish(topic: string, data: number) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(data);
      const answer = await fetch(`${url}/publish/p/${topic}`, { method: 'POST', headers, body });
      assert.equal(answer.status, 204, await answer.text());
    },
  };
}

/** Takes every event, or many at once; at `/hang` only when it is released. */
async function recordingApp(t: TestContext, asked: readonly object[]) {
  const received = new Map<string, number[]>();
  const hanging: http.ServerResponse[] = [];
  let ended = 0;
  let cutOff = 0;
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const url = req.url ?? '';
      if (url === '/dapr/config') return void res.writeHead(404).end();
      if (url === '/dapr/subscribe') return void res.end(JSON.stringify(asked));
      const given = JSON.parse(String(Buffer.concat(chunks)));
      const entries: readonly { entryId: string; event: { data: number } }[] = given.entries ?? [
        { entryId: '', event: given },
      ];
      const before = received.get(url) ?? [];
      received.set(url, [...before, ...entries.map(({ event }) => event.data)]);
      if (url === '/hang') {
        hanging.push(res);
        res.once('close', () => {
          ended += 1;
          if (!res.writableFinished) cutOff += 1;
        });
      } else {
        const statuses = entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' }));
        res.end(JSON.stringify({ statuses }));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    at: (url: string) => received.get(url) ?? [],
    data: () => [...received.values()].flat(),
    release: () => hanging.forEach((res) => void res.end()),
    ended: () => ended,
    cutOff: () => cutOff,
  };
}
