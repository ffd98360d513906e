import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import type { NameResolver } from './name-resolver.ts';
import { openNames } from './open-names.ts';

describe('names in Kubernetes', () => {
  test('are the service before the sidecars of an app, on the port that all of them have', async () => {
    assert.deepEqual(
      [
        await resolved({}),
        await resolved({ clusterDomain: 'corp.example' }),
        await resolved({ template: '{{.ID}}.{{.Namespace}}.mesh:{{.Port}}' }),
      ],
      [
        ['orders-dapr.shop.svc.cluster.local:50002'],
        ['orders-dapr.shop.svc.corp.example:50002'],
        ['orders.shop.mesh:50002'],
      ],
    );
  });

  test('a template without a port, and a domain that is none, are refused by name', async () => {
    const message = (configuration: object) =>
      open(configuration).then(
        () => 'opened',
        (error: Error) => error.message,
      );
    assert.deepEqual(
      [
        await message({ template: '{{.ID}}.mesh' }),
        await message({ clusterDomain: 'a b' }),
        await message({ clusterDomain: 7 }),
      ],
      [
        'nameResolution.configuration.template must be host:port with {{.ID}} in it, such as "{{.ID}}-dapr.{{.Namespace}}.svc.cluster.local:{{.Port}}", not "{{.ID}}.mesh".',
        'nameResolution.configuration.clusterDomain must be a domain name, such as "cluster.local", not "a b".',
        'nameResolution.configuration.clusterDomain must be a domain name, such as "cluster.local", not "7".',
      ],
    );
  });
});

async function resolved(configuration: object): Promise<readonly string[]> {
  const names = await open(configuration);
  await names.register({ appId: 'own', namespace: 'shop', host: '10.0.0.1', port: 50_002 });
  return await names.resolve('orders', 'shop');
}

const open = (configuration: object): Promise<NameResolver> =>
  openNames(
    { component: 'kubernetes', configuration: { ...configuration } },
    { clock: systemClock, log: createLogger({ write: () => {} }) },
  );
