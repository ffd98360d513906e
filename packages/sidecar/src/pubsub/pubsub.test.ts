import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import type { SidecarOptions } from '../options.ts';
import { startAlone } from '../testing/start-alone.ts';

/** What the two makes have in common is in tests/conformance/pubsub/pubsub.test.ts. */
describe('publish and subscribe', () => {
  test('metadata cannot change the framing of the request, nor speak for the sidecar', async (t) => {
    const { app, publish } = await start(t, [{ pubsubname: 'p', topic: 't', route: '/take' }]);
    const names = [
      'content-length',
      'Host',
      'Transfer-Encoding',
      'dapr-api-token',
      'a%0d%0ab',
      'mine',
    ];
    await publish('t', names.map((name) => `metadata.${name}=7`).join('&'));
    const { headers, body } = await app.next('/take');
    const { 'content-length': length, 'transfer-encoding': encoding, mine, host } = headers;
    assert.deepEqual([length, encoding, mine], [`${body.length}`, undefined, '7']);
    assert.equal(host, `127.0.0.1:${app.port}`);
    assert.ok(!('dapr-api-token' in headers) && !('a' in headers));
  });

  test('a rule that cannot be applied to an event, and no dead letters: the log has it', async (t) => {
    const rules = [{ match: 'event.data.a.b > 1', path: '/take' }];
    const { logged, publish } = await start(t, [
      { pubsubname: 'p', topic: 't', routes: { rules } },
    ]);
    await publish('t');
    await until('the loss is told', () => logged().includes('An event of t in p is lost: '));
  });

  test('an event that no rule takes is dropped; its metric says so', async (t) => {
    const rules = [{ match: 'event.type == "never"', path: '/take' }];
    const { page, publish } = await start(t, [{ pubsubname: 'p', topic: 't', routes: { rules } }]);
    await publish('t');
    await until('the drop is counted', async () =>
      /ingress_count\{.*process_status="drop".*topic="t"\} 1/.test(await page()),
    );
  });

  test('subscriptions that cannot be are left out, by name and reason; the others work', async (t) => {
    const { app, logged, publish } = await start(
      t,
      [
        { pubsubname: 'nobody', topic: 't', route: '/take' },
        { pubsubname: 'p', topic: 'kept', route: '/take' },
        { pubsubname: 'p', topic: 't', route: '/twice' },
        { pubsubname: 'p', topic: 't', route: '/take' },
      ],
      { metadata: '{ name: subscriptionScopes, value: "one=t" }' },
    );
    await publish('t');
    await app.next('/take');
    assert.match(logged(), /Nobody subscribes to t: pubsub nobody is not found/);
    assert.match(
      logged(),
      /Nobody subscribes to kept: it is not allowed for app id one in pubsub p/,
    );
  });

  for (const [what, answer, why] of [
    ['no list', '{}', /cannot unmarshal object into Go value of type \[\]subscription/],
    [
      'no CEL',
      '[{"pubsubname":"p","topic":"t","routes":{"rules":[{"match":"a ==","path":"/x"}]}}]',
      /the match .*a ==.* is no CEL: Unexpected token: EOF/,
    ],
    [
      'a bulk of no whole number',
      '[{"pubsubname":"p","topic":"t","route":"/x","bulkSubscribe":{"enabled":true,"maxMessagesCount":1.5}}]',
      /cannot unmarshal number 1\.5 into Go struct field BulkSubscribeJSON\.bulkSubscribe\.maxMessagesCount of type int/,
    ],
  ] as const) {
    test(`/dapr/subscribe with ${what}: the log says what is wrong`, async (t) => {
      const { logged } = await start(t, answer);
      await until('it is told', () => logged().includes('/dapr/subscribe cannot be used'));
      assert.match(logged(), why);
    });
  }

  test('one subscription of /dapr/subscribe that is none keeps no other from being one', async (t) => {
    const { app, logged, publish, subscribed } = await start(t, [
      { pubsubname: 'p' },
      { pubsubname: 'p', topic: 'lost' },
      { pubsubname: 'p', topic: 't', route: '/first' },
      { PubSubName: 'p', topic: 't', route: '/take' },
    ]);
    assert.equal(await subscribed(), true);
    await publish('t');
    await app.next('/take');
    assert.match(
      logged(),
      /has no pubsubname, topic or route: \{\\"pubsubname\\":\\"p\\",\\"topic\\":\\"lost\\"/,
    );
  });

  test('an application is not asked what it subscribes to where that is switched off', async (t) => {
    const topics = [{ pubsubname: 'p', topic: 't', route: '/take' }];
    const asked = await start(t, topics);
    const notAsked = await start(t, topics, { disableInitEndpoints: ['subscribe'] });
    assert.deepEqual([await asked.subscribed(), await notAsked.subscribed()], [true, false]);
  });

  test('an application whose health is watched is asked once it is healthy', async (t) => {
    const { app, publish, subscribed } = await start(
      t,
      [{ pubsubname: 'p', topic: 't', route: '/take' }],
      {
        appHealthCheck: { intervalMs: 20 },
      },
    );
    await until('the other is subscribed', subscribed);
    await publish('t');
    await app.next('/take');
  });

  test('an attempt that is too late is given up before the next one begins', async (t) => {
    const policy = `{ apiVersion: dapr.io/v1alpha1, kind: Resiliency, metadata: { name: r }, spec: {
      policies: { timeouts: { soon: 100ms }, retries: { once: { duration: 1ms, maxRetries: 1 } } },
      targets: { components: { p: { inbound: { timeout: soon, retry: once } } } } } }`;
    const subscriptions = [{ pubsubname: 'p', topic: 't', route: '/hang' }];
    const { app, logged, publish } = await start(t, subscriptions, { policy });
    await publish('t');
    await until('the loss is told', () => logged().includes('An event of t in p is lost: '));
    // Where this machine is slow one may not have come as far as the application.
    await until('what has begun is given up', () => app.givenUp() === app.begun());
  });

  test('stopping does not wait for company of what is gathered', async (t) => {
    const bulkSubscribe = { enabled: true, maxAwaitDurationMs: 3_600_000 };
    const { app, publish, sidecar } = await start(t, [
      { pubsubname: 'p', topic: 't', route: '/take', bulkSubscribe },
    ]);
    await publish('t');
    await sidecar.stop();
    const { body } = await app.next('/take');
    assert.equal(JSON.parse(body.toString()).entries.length, 1);
  });

  test('stopping waits for what the application was handed; by force it does not', async (t) => {
    const waiting = await start(t, [{ pubsubname: 'p', topic: 't', route: '/hang' }]);
    await waiting.publish('t');
    await waiting.app.next('/hang');
    const stopped = waiting.sidecar.stop();
    let early = true;
    setTimeout(() => {
      early = false;
      waiting.app.release();
    }, 100);
    await stopped;
    assert.equal(early, false);

    const forced = await start(t, [{ pubsubname: 'p', topic: 't', route: '/hang' }]);
    await forced.publish('t');
    await forced.app.next('/hang');
    await forced.sidecar.stop({ force: true });
  });

  test('stopped by force, a sidecar left the timer of what it was gathering, for an hour', async (t) => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const before = timers();
    const bulkSubscribe = { enabled: true, maxAwaitDurationMs: 3_600_000 };
    const { publish, sidecar } = await start(t, [
      { pubsubname: 'p', topic: 't', route: '/take', bulkSubscribe },
    ]);
    await publish('t');
    await sidecar.stop({ force: true });
    await until('no timer is left', () => timers() <= before);
  });
});

/** A sidecar with one broker `p`, and the application behind it that answers `subscriptions`. */
async function start(
  t: TestContext,
  subscriptions: string | readonly object[],
  {
    metadata = '',
    policy,
    ...options
  }: Partial<SidecarOptions> & { readonly metadata?: string; readonly policy?: string } = {},
) {
  const app = await takingApp(t, subscriptions);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pubsub-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, 'p.yaml'),
    `{ apiVersion: dapr.io/v1alpha1, kind: Component, metadata: { name: p },
       spec: { type: pubsub.in-memory, version: v1, metadata: [${metadata}] } }`,
  );
  if (policy !== undefined) await writeFile(join(folder, 'policy.yaml'), policy);
  const { lines, sidecar, url } = await startAlone(t, {
    appPort: app.port,
    resourcesPaths: [folder],
    ...options,
  });
  await until('it is ready', async () => (await fetch(`${url}/healthz`)).ok);
  return {
    app,
    sidecar,
    logged: () => lines.join('\n'),
    page: async () =>
      await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/metrics`)).text(),
    async subscribed() {
      const body = (await (await fetch(`${url}/metadata`)).json()) as { subscriptions?: object[] };
      return body.subscriptions !== undefined;
    },
    async publish(topic: string, query = '') {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/publish/p/${topic}?${query}`, {
        method: 'POST',
        headers,
        body: '{"a":1}',
      });
      assert.equal(answer.status, 204, await answer.text());
    },
  };
}

interface Taken {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

async function takingApp(t: TestContext, subscriptions: string | readonly object[]) {
  const taken = new Map<string, Taken[]>();
  const hanging: http.ServerResponse[] = [];
  let givenUp = 0;
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const url = req.url ?? '';
      if (url === '/dapr/subscribe') {
        res.end(typeof subscriptions === 'string' ? subscriptions : JSON.stringify(subscriptions));
        return;
      }
      const one = { headers: req.headers, body: Buffer.concat(chunks) };
      taken.set(url, [...(taken.get(url) ?? []), one]);
      if (url === '/hang') {
        hanging.push(res);
        res.once('close', () => {
          if (!res.writableFinished) givenUp += 1;
        });
      } else res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    release: () => hanging.forEach((res) => void res.end()),
    begun: () => hanging.length,
    givenUp: () => givenUp,
    async next(path: string): Promise<Taken> {
      await until(`${path} is called`, () => taken.has(path));
      return taken.get(path)![0]!;
    },
  };
}
