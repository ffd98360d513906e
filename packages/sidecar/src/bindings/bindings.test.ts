import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { until } from '@holdfast/test-servers';
import { staticNames } from '../names/static-names.ts';
import { startSidecar } from '../start-sidecar.ts';

test('output bindings are behind their policies: retries, then a circuit that says who refused', async (t) => {
  let calls = 0;
  const web = await application(t, (_req, res) => {
    calls += 1;
    res.writeHead(500).end();
  });
  const { url } = await sidecar(t, undefined, [
    component('web', 'bindings.http', `{ name: url, value: "${web}" }`),
    resiliency('web: { outbound: { retry: twice, circuitBreaker: careful } }'),
  ]);
  const ask = async () => {
    const answer = await fetch(`${url}/v1.0/bindings/web`, {
      method: 'POST',
      body: '{"operation":"get"}',
    });
    const { message } = (await answer.json()) as { message: string };
    return [answer.status, message, answer.headers.get('holdfast-refused-by')];
  };
  const failed = 'error invoking output binding web';
  assert.deepEqual(
    [await ask(), await ask(), calls],
    [
      [500, `${failed}: circuit breaker is open`, 'careful'],
      [500, `${failed}: circuit breaker is open`, 'careful'],
      2,
    ],
  );
});

test('a policy that times out an output binding ends the request it had sent', async (t) => {
  let closed = 0;
  const web = await application(t, (_req, res) => void res.on('close', () => (closed += 1)));
  const { url } = await sidecar(t, undefined, [
    component('web', 'bindings.http', `{ name: url, value: "${web}" }`),
    resiliency('web: { outbound: { timeout: short } }'),
  ]);
  const answer = await fetch(`${url}/v1.0/bindings/web`, {
    method: 'POST',
    body: '{"operation":"get"}',
  });
  const { message } = (await answer.json()) as { message: string };
  await until('the call is given up', () => closed === 1);
  assert.equal(message, 'error invoking output binding web: context deadline exceeded');
});

test('input bindings are behind their policies: an event is offered again until it is taken', async (t) => {
  const paths: string[] = [];
  const app = await application(t, (req, res) => {
    paths.push(`${req.method} ${req.url}`);
    res.writeHead(paths.length < 3 ? 503 : 200).end();
  });
  await sidecar(t, app, [
    component(
      'tick',
      'bindings.cron',
      '{ name: schedule, value: "@every 1s" }, { name: direction, value: input }',
    ),
    resiliency('tick: { inbound: { retry: twice } }'),
  ]);
  await until('it is offered three times', () => paths.length >= 3);
  assert.deepEqual(paths.slice(0, 3), Array(3).fill('POST /tick'));
});

test('an application that does not say whether it wants a binding has the others meanwhile', async (t) => {
  const posted: string[] = [];
  const app = await application(t, ({ method, url = '' }, res) => {
    if (method === 'OPTIONS' && url === '/silent') return;
    if (method === 'POST') posted.push(url);
    res.end();
  });
  const every = '{ name: schedule, value: "@every 50ms" }';
  await sidecar(t, app, [
    component('silent', 'bindings.cron', every),
    component('tick', 'bindings.cron', every),
  ]);
  await until('the other has come', () => posted.length > 0);
  assert.deepEqual([...new Set(posted)], ['/tick']);
});

test('bindings have the direction and the scope that their component says', async (t) => {
  const web = await application(t, (_req, res) => void res.end('"ok"'));
  const { url } = await sidecar(t, undefined, [
    component('both', 'bindings.http', `{ name: url, value: "${web}" }`),
    component(
      'out',
      'bindings.http',
      `{ name: url, value: "${web}" }, { name: direction, value: "input, output" }`,
    ),
    component(
      'in',
      'bindings.http',
      `{ name: url, value: "${web}" }, { name: Direction, value: input }`,
    ),
    component('theirs', 'bindings.http', `{ name: url, value: "${web}" }`, 'scopes: [other]'),
    component('tick', 'bindings.cron', '{ name: schedule, value: "@hourly" }'),
  ]);
  const statuses: number[] = [];
  for (const name of ['both', 'out', 'in', 'theirs', 'tick']) {
    const init = { method: 'PUT', body: '{"operation":"get"}' };
    statuses.push((await fetch(`${url}/v1.0/bindings/${name}`, init)).status);
  }
  const { components } = (await (await fetch(`${url}/v1.0/metadata`)).json()) as {
    components: { name: string; capabilities?: string[] }[];
  };
  assert.deepEqual(
    [statuses, components.map(({ name, capabilities = [] }) => `${name} ${capabilities}`)],
    [
      [200, 200, 500, 500, 500],
      ['both OUTPUT_BINDING', 'out OUTPUT_BINDING', 'in ', 'tick INPUT_BINDING'],
    ],
  );
});

test('a sidecar that stops lets the application finish the run it has, and begins no other', async (t) => {
  const events: string[] = [];
  const app = await application(t, (req, res) => {
    if (req.method !== 'POST') {
      res.end();
      return;
    }
    events.push('begun');
    setTimeout(() => {
      events.push('done');
      res.end();
    }, 400);
  });
  const { running } = await sidecar(t, app, [
    component('tick', 'bindings.cron', '{ name: schedule, value: "@every 1s" }'),
  ]);
  await until('a run of the schedule', () => events.length === 1);
  await running.stop();
  const atTheEnd = [...events];
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.deepEqual(
    [atTheEnd, events],
    [
      ['begun', 'done'],
      ['begun', 'done'],
    ],
  );
});

test('a schedule that is none keeps the sidecar from starting', async (t) => {
  const failure = await sidecar(t, undefined, [
    component('tick', 'bindings.cron', '{ name: schedule, value: "* * *" }'),
  ]).catch((error: Error) => error.message.replace(/^.*components\.yaml/, 'components.yaml'));
  assert.equal(
    failure,
    "components.yaml: component tick (bindings.cron) cannot be used: invalid schedule format '* * *': expected 5 to 6 fields, found 3: [* * *]",
  );
});

function component(name: string, type: string, metadata: string, more = ''): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [${metadata}] }
${more}
`;
}

const resiliency = (components: string) => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    timeouts: { short: 80ms }
    retries: { twice: { policy: constant, duration: 10ms, maxRetries: 2 } }
    circuitBreakers: { careful: { trip: consecutiveFailures >= 2, timeout: 60s } }
  targets: { components: { ${components} } }
`;

async function application(
  t: TestContext,
  answer: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<string> {
  const listening = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  t.after(() => {
    listening.close();
    listening.closeAllConnections();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function sidecar(t: TestContext, app: string | undefined, resources: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bindings-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [at, text] of resources.entries()) {
    const kind = text.includes('kind: Resiliency') ? `resiliency-${at}` : 'components';
    await writeFile(join(folder, `${kind}.yaml`), `---${text}`, { flag: 'a' });
  }
  const running = await startSidecar(
    {
      appId: 'one',
      ...(app === undefined ? {} : { appPort: Number(new URL(app).port) }),
      httpPort: 0,
      metricsPort: 0,
      disableInitEndpoints: ['config'],
      resourcesPaths: [folder],
      names: staticNames({}),
    },
    { log: createLogger({ write: () => {} }) },
  );
  t.after(() => running.stop({ force: true }));
  return { running, url: `http://127.0.0.1:${running.ports.http}` };
}
