import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { appPorts, openBench, untilUp } from '../testing/run-bench.ts';

/** Tells what it was sent, and takes events of two topics. */
const APP = `
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
createServer(async (request, response) => {
  const { headers, method, url } = request;
  const body = await text(request);
  if (url === '/dapr/subscribe') {
    const topics = ['A', 'B'].map((topic) => ({ pubsubname: 'pubsub', topic, route: '/event' }));
    response.end(JSON.stringify(topics));
  } else if (url === '/event') {
    const { id, data, expiration } = JSON.parse(body);
    console.log('event ' + JSON.stringify({ id, data, expires: expiration !== undefined }));
    response.end();
  } else if (url === '/broken') {
    response.writeHead(418).end('{"why":"teapot"}');
  } else {
    const kind = headers['content-type'];
    response.end(JSON.stringify({ method, url, kind, tenant: headers['x-tenant'], body }));
  }
}).listen(Number(process.env.APP_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
const PUBSUB = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.in-memory, version: v1 }
`;

describe('holdfast invoke and publish', { concurrency: 2 }, () => {
  test('invoke calls a method of an app that runs, and says what it answers', async (t) => {
    const bench = await openBench(t, { 'app.mjs': APP, 'order.json': '{"order":7}' });
    const run = bench.holdfast('run', ...(await flags('shop')));
    await untilUp(run);
    const answer = async (...args: readonly string[]) => {
      const { status, out, err } = await bench.holdfast('invoke', '-a', 'shop', ...args).done;
      assert.deepEqual([status, err], [0, 'App invoked successfully\n']);
      return JSON.parse(out);
    };
    const kind = 'application/json';
    assert.deepEqual(await answer('--method', 'orders', '--data', '{"order":6}'), {
      ...{ method: 'POST', url: '/orders', kind, body: '{"order":6}' },
    });
    assert.deepEqual(await answer('-m', 'orders', '-v', 'put', '-f', 'order.json'), {
      ...{ method: 'PUT', url: '/orders', kind, body: '{"order":7}' },
    });
    assert.deepEqual(await answer('-m', 'a b?q=é%2F', '--verb', 'GET', '-H', 'X-Tenant=blue=1'), {
      ...{ method: 'GET', url: '/a%20b?q=%C3%A9%2F', kind, tenant: 'blue=1', body: '' },
    });

    const failures = [
      ['-a', 'shop', '-m', 'broken'],
      ['-a', 'shpo', '-m', 'orders'],
      ['-a', 'shop', '-m', 'orders', '-d', '1', '-f', 'order.json'],
      ['-a', 'shop', '-m', 'orders', '-H', 'x-tenant'],
      ['-a', 'shop', '-m', 'orders', '-H', 'x tenant=blue'],
      ['-a', 'shop', '-m', 'orders', '-v', 'G T'],
    ];
    const told = [];
    for (const args of failures) {
      const { status, out, err } = await bench.holdfast('invoke', ...args).done;
      told.push([status, out, err]);
    }
    assert.deepEqual(told, [
      [1, '', `holdfast: POST broken of "shop" was answered 418 I'm a Teapot: {"why":"teapot"}\n`],
      [1, '', 'holdfast: No app "shpo" is running; did you mean `shop`? There is shop.\n'],
      [2, '', 'holdfast: --data and --data-file are both given; give one.\n'],
      [2, '', 'holdfast: --header must be NAME=VALUE, not "x-tenant".\n'],
      [
        2,
        '',
        'holdfast: --header x tenant=blue: Header name must be a valid HTTP token ["x tenant"].\n',
      ],
      [2, '', 'holdfast: --verb must be a verb of HTTP, such as GET, not "G T".\n'],
    ]);
  });

  test('publish sends data, events in their own envelope, and metadata', async (t) => {
    const envelope = { specversion: '1.0', id: 'mine', source: 's', type: 't', data: 'whole' };
    const bench = await openBench(t, {
      'app.mjs': APP,
      'resources/pubsub.yaml': PUBSUB,
      'event.json': JSON.stringify(envelope),
    });
    const run = bench.holdfast('run', '-d', 'resources', ...(await flags('shop')));
    await untilUp(run);
    const publish = async (...args: readonly string[]) => {
      const to = ['--publish-app-id', 'shop', '--pubsub', 'pubsub', '--topic'];
      const { status, out, err } = await bench.holdfast('publish', ...to, ...args).done;
      return [status, out, err];
    };
    const published = [0, 'Event published successfully\n', ''];
    assert.deepEqual(await publish('A', '--data-file', 'event.json'), published);
    assert.deepEqual(
      await publish('B', '-d', '{"order":8}', '-m', '{"ttlInSeconds":"60"}'),
      published,
    );
    const events = () => [...run.output().matchAll(/event (.*)/g)].map(([, each]) => each!);
    await until('both came', () => events().length === 2);
    const [mine, other] = events().map((each) => JSON.parse(each));
    assert.deepEqual(mine, { id: 'mine', data: 'whole', expires: false });
    assert.deepEqual([other.data, other.expires], [{ order: 8 }, true]);

    const [status, , err] = await publish('A', '--metadata', '[1]');
    assert.deepEqual(
      [status, err],
      [2, `holdfast: --metadata [1]: write an object of JSON, as in '{"ttlInSeconds":"10"}'.\n`],
    );
    const nowhere = await bench.holdfast(
      ...['publish', '-i', 'shop', '-p', 'pubsbu', '-t', 'A', '-d', '1'],
    ).done;
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.err, /^holdfast: Publishing to "A" of "pubsbu" was answered 404 /);
  });

  test('the token of the API is shown where it is set, and asked for where it is not', async (t) => {
    const [port] = await appPorts(1);
    const bench = await openBench(t, {
      'app.mjs': APP,
      'dapr.yaml': `version: 1
apps:
  - { appID: shop, appDirPath: ., appPort: ${port}, command: [node, app.mjs], env: { DAPR_API_TOKEN: secret } }
`,
    });
    await untilUp(bench.holdfast('run', '-f', '.'));
    const call = ['invoke', '-a', 'shop', '-m', 'orders'];
    const without = await bench.holdfast(...call).done;
    assert.deepEqual(
      [without.status, without.err],
      [
        1,
        'holdfast: POST orders of "shop" was answered 401 Unauthorized: invalid api token; set DAPR_API_TOKEN to the token of its sidecar\n',
      ],
    );
    const main = new URL('../holdfast-main.ts', import.meta.url).href;
    const { out } = await bench.program(`
      process.env.DAPR_API_TOKEN = 'secret';
      process.argv.push('holdfast', ...${JSON.stringify(call)});
      await import('${main}');
    `).done;
    assert.equal(JSON.parse(out).url, '/orders');
  });

  test('where the API is on sockets their folder is given, and asked for', async (t) => {
    if (process.platform === 'win32') return t.skip('no sockets of files there');
    const bench = await openBench(t, { 'app.mjs': APP, 'sockets/empty': '' });
    const run = bench.holdfast('run', '-u', 'sockets', ...(await flags('shop')));
    await untilUp(run);
    const call = ['invoke', '-a', 'shop', '-m', 'orders'];
    const { status, out } = await bench.holdfast(...call, '-u', 'sockets').done;
    assert.deepEqual([status, JSON.parse(out).url], [0, '/orders']);
    const blind = await bench.holdfast(...call).done;
    assert.equal(blind.status, 2);
    assert.match(blind.err, /started with --unix-domain-socket \(give the same folder here\)/);
  });
});

async function flags(id: string): Promise<readonly string[]> {
  const [port] = await appPorts(1);
  return ['-a', id, '-p', String(port), '--', process.execPath, 'app.mjs'];
}
