import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { kubernetesNames } from './kubernetes-names.ts';
import type { NameResolver } from './name-resolver.ts';
import { openNames } from './open-names.ts';

describe('names in Kubernetes', () => {
  test('are the service before the sidecars of an app, on the port that all of them have', async () => {
    assert.deepEqual(
      [
        await asked({}),
        await asked({ clusterDomain: 'corp.example' }),
        await asked({ template: '{{.ID}}.{{ .Namespace }}.mesh:{{.Port }}' }),
      ],
      [
        'orders-dapr.shop.svc.cluster.local',
        'orders-dapr.shop.svc.corp.example',
        'orders.shop.mesh',
      ],
    );
  });

  test('stand for every sidecar behind them, for twenty seconds or until one does not answer', async () => {
    const clock = new VirtualClock();
    const hosts: string[] = [];
    const names = kubernetesNames({
      clock,
      async lookUp(host) {
        hosts.push(host);
        return ['10.1.0.7', 'fd00::7'];
      },
    });
    await names.register({ appId: 'own', namespace: 'shop', host: '10.0.0.1', port: 50_002 });
    const resolve = async () => await names.resolve('orders', 'shop');
    const all = ['10.1.0.7:50002', '[fd00::7]:50002'];
    const counted: number[] = [];
    for (const meanwhile of [
      async () => {},
      () => clock.advance(19_000),
      () => clock.advance(1_001),
      async () => names.unreachable('orders', '10.1.0.7:50002'),
      async () => names.unreachable('orders', '10.9.9.9:50002'),
    ]) {
      await meanwhile();
      assert.deepEqual(await resolve(), all);
      counted.push(hosts.length);
    }
    assert.deepEqual(counted, [1, 1, 2, 3, 3]);
  });

  test('that nobody has are no address, in the words of daprd', async () => {
    const names = kubernetesNames({ lookUp: () => Promise.reject(new Error('ENOTFOUND')) });
    await assert.rejects(async () => await names.resolve('orders', 'shop'), {
      code: 'NO_ADDRESS',
      message:
        "failed to resolve address for 'orders-dapr.shop.svc.cluster.local': lookup orders-dapr.shop.svc.cluster.local: no such host",
    });
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

/** The host that is looked up for an app, which is there nowhere. */
async function asked(configuration: object): Promise<string> {
  const names = await open(configuration);
  await names.register({ appId: 'own', namespace: 'shop', host: '10.0.0.1', port: 50_002 });
  try {
    await names.resolve('orders', 'shop');
    return 'found';
  } catch (error) {
    return /'([^']+)'/.exec((error as Error).message)?.[1] ?? '';
  }
}

const open = (configuration: object): Promise<NameResolver> =>
  openNames(
    { component: 'kubernetes', configuration: { ...configuration } },
    { clock: systemClock, log: createLogger({ write: () => {} }) },
  );
