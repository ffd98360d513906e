import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { KEEP_ALIVE, kernelTimers } from '../../testing/kernel-timers.ts';
import { listenAll } from './listen-all.ts';

test('a client whose machine is gone is found out by the kernel', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux shows the timers of connections');
  const { port, servers } = await listenAll(
    () => net.createServer((socket) => socket.write('hello')),
    { hosts: ['127.0.0.1'], port: 0 },
    '--dapr-http-port',
  );
  t.after(() => servers[0]?.close());
  const client = net.connect({ port, host: '127.0.0.1' });
  t.after(() => client.destroy());
  await once(client, 'data');

  const timers = await kernelTimers('local', port);

  assert.equal(timers.length, 1);
  for (const { kind, leftS } of timers) assert.ok(kind === KEEP_ALIVE && leftS <= 15, `${leftS}`);
});
