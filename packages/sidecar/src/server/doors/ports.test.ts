import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '@holdfast/test-servers';
import { startSidecar } from '../../index.ts';
import { sendRaw } from '../../testing/raw-http.ts';
import { sharedNames } from '../../testing/shared-names.ts';

test('the public port has health and metadata, and nothing else', async (t) => {
  const publicPort = await freePort();
  const sidecar = await startSidecar({
    ...one,
    publicPort,
    metricsPort: 0,
    names: sharedNames()(),
  });
  t.after(() => sidecar.stop({ force: true }));
  const paths = ['/v1.0/healthz', '/v1.0/metadata', '/v1.0/invoke/one/method/x', '/v1.0/shutdown'];

  const answers = await Promise.all(paths.map((path) => sendRaw(publicPort, { path })));

  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 200, 404, 404],
  );
});

test('metrics are at every path of their port, and nowhere without it', async (t) => {
  const counted = await startSidecar({ ...one, metricsPort: 0, names: sharedNames()() });
  const silent = await startSidecar({ ...one, enableMetrics: false, names: sharedNames()() });
  t.after(() => Promise.all([counted.stop({ force: true }), silent.stop({ force: true })]));
  await sendRaw(counted.ports.http, { path: '/v1.0/metadata' });

  const scrapes = await Promise.all(
    ['/', '/metrics'].map((path) => sendRaw(counted.ports.metrics!, { path })),
  );

  const series =
    'dapr_http_server_request_count{app_id="one",method="GET",path="/v1.0/metadata",status="200"} 1';
  assert.deepEqual(
    [scrapes.map(({ body }) => body.includes(series)), silent.ports.metrics],
    [[true, true], undefined],
  );
});

test('an address that this machine does not have is told with the flag that names it', async () => {
  const host = 'nowhere.invalid';
  const asked = {
    'dapr-listen-addresses': { listenAddresses: [host] },
    'dapr-public-listen-address': { publicPort: await freePort(), publicListenAddress: host },
    'metrics-listen-address': { metricsPort: 0, metricsListenAddress: host },
    'dapr-internal-grpc-listen-address': {
      allowPlainInternal: true,
      internalListenAddress: host,
    },
  };
  for (const [flag, options] of Object.entries(asked)) {
    await assert.rejects(startSidecar({ ...one, ...options, names: sharedNames()() }), {
      message: new RegExp(
        `this machine has no address nowhere\\.invalid; name one that it has \\(--${flag}\\)`,
      ),
    });
  }
});

const one = { appId: 'one', httpPort: 0 } as const;
