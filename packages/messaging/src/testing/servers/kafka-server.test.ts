import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { tempDir } from '../temp-dir.ts';
import { freePort } from './free-port.ts';
import { kafkaProblem } from './kafka-server.ts';

const PROGRAM = fileURLToPath(new URL('./kafka-broker-main.ts', import.meta.url));
const missing = await kafkaProblem();

test('the Kafka program becomes the JVM: SIGKILL of its pid leaves nothing that listens', {
  skip: missing !== undefined && process.env.CI !== 'true' ? missing : false,
}, async (t) => {
  const port = await freePort();
  const args = ['--conditions=source', PROGRAM, '--port', String(port), '--data', await tempDir(t)];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await eventually(
    () => listens(port),
    (up) => up,
    'Kafka listens',
    120_000,
  );

  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  const [, signal] = await exited;

  assert.deepEqual([signal, await listens(port)], ['SIGKILL', false]);
});

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const up = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return up;
}
