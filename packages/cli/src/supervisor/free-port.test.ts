import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts, portState } from './free-port.ts';

test('free ports differ from one another and from those that the system gives to others', async () => {
  const ports = await freePorts(200);

  assert.equal(new Set(ports).size, 200);
  assert.ok(ports.every((port) => port < 32_768));
});

test('a port is taken while somebody listens on it, and free again afterwards', async () => {
  const [port = 0] = await freePorts(1);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  assert.equal(await portState(port), 'taken');

  await new Promise((resolve) => server.close(resolve));
  assert.equal(await portState(port), 'free');
});
