import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { until } from '@holdfast/test-servers';
import { mdnsNames } from './mdns-names.ts';
import { addressesIn, mdnsRecords } from './mdns-records.ts';

const env = { clock: systemClock, log: createLogger({ write: () => {} }) };

describe('mdnsNames', () => {
  test('finds a sidecar on this machine, and forgets it when it says goodbye', async (t) => {
    const appId = `orders-${randomUUID().slice(0, 8)}`;
    const [mine, other] = [await mdnsNames(env), await mdnsNames(env)];
    t.after(() => Promise.all([mine.close(), other.close()]));
    await mine.register({ appId, namespace: 'default', host: '127.0.0.1', port: 5001 });

    const found = await other.resolve(appId, 'default');
    await mine.close();

    assert.deepEqual(found, ['127.0.0.1:5001']);
    await until('forgotten', async () => (await other.resolve(appId, 'default')).length === 0);
  });

  test('finds nobody after a second, in the words of daprd', async (t) => {
    const names = await mdnsNames(env);
    t.after(() => names.close());

    const found = await names.resolve(`nobody-${randomUUID()}`, 'default');

    assert.deepEqual([found, names.notFound('x')], [[], "couldn't find service: x"]);
  });
});

test('the records are those of daprd: PTR, SRV, TXT and an address, an hour and two minutes', () => {
  const id = '12345678-0000';
  const registration = { appId: 'orders', namespace: 'default', host: '127.0.0.1', port: 5001 };
  const instance = `${os.hostname()}:12345678.orders.local`;

  assert.deepEqual(mdnsRecords(registration, id, 'answer').answers, [
    { name: 'orders.local', type: 'PTR', ttl: 3200, data: instance },
    {
      name: instance,
      type: 'SRV',
      ttl: 3200,
      data: { port: 5001, target: 'holdfast-12345678.local', priority: 0, weight: 0 },
    },
    { name: instance, type: 'TXT', ttl: 3200, data: ['orders'] },
    { name: 'holdfast-12345678.local', type: 'A', ttl: 120, data: '127.0.0.1' },
  ]);
});

test('the records that daprd 1.18 was seen to send name its address', () => {
  const instance = 'vm:16072.mdnsapp.local';
  const seen = [
    ...addressesIn([
      { name: 'mdnsapp.local', type: 'PTR', ttl: 3200, class: 'IN', flush: false, data: instance },
      { name: instance, type: 'SRV', ttl: 3200, data: { port: 7902, target: 'vm.local' } },
      { name: 'vm.local', type: 'A', ttl: 120, data: '192.0.2.2' },
    ]),
  ];

  assert.deepEqual(seen, [{ appId: 'mdnsapp', address: '192.0.2.2:7902', gone: false }]);
});
