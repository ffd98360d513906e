import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, redisServer, Unavailable } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../conformance/makes/both-makes.ts';
import { startFlagged } from '../conformance/makes/flagged.ts';
import { pythonWithDapr } from './python-sdk.ts';
import { components } from './sdk-components.ts';

const run = promisify(execFile);
const APP = path.join(import.meta.dirname, 'python-app.py');
const TITLE = 'an application of Dapr’s Python SDK over gRPC, and its client';

const found = await pythonWithDapr();
const redis = await redisServer();
const why = 'why' in found ? found.why : redis instanceof Unavailable ? redis.why : undefined;
if (why !== undefined) {
  if (process.env.CI === 'true') throw new Error(why);
  test(TITLE, { skip: why }, () => {});
}
if (!(redis instanceof Unavailable)) {
  after(() => redis.process.remove());
  if ('python' in found) {
    await bothMakes((make, executable) => {
      test(`${make}: ${TITLE}`, () => playApp(make, executable, found.python, redis.port));
    });
  }
}

async function playApp(
  make: Make,
  daprd: string | undefined,
  python: string,
  redisPort: number,
): Promise<void> {
  const client = new Redis(redisPort, '127.0.0.1');
  await client.flushall();
  client.disconnect();
  const appPort = await freePort();
  const secrets = { TEST_SECRET_1: 'secret_val_1', TEST_SECRET_2: 'secret_val_2' };
  const token = { DAPR_API_TOKEN: 'open-sesame' };
  const sidecar = await startFlagged(daprd, {
    flags: { 'app-id': 'sdk-app', 'app-port': appPort, 'app-protocol': 'grpc' },
    env: { ...token, ...secrets },
    resources: components(redisPort),
    wait: false,
  });
  const { grpc, http } = sidecar.ports;
  const env = {
    ...process.env,
    ...token,
    DAPR_GRPC_PORT: String(grpc),
    DAPR_HTTP_PORT: String(http),
  };
  // This daprd has no lock.redis.
  const more = make === 'holdfast' ? ['lock'] : [];
  try {
    const args = ['-W', 'ignore', APP, String(appPort), ...more];
    const { stdout } = await run(python, args, { env, timeout: 120_000 });
    const { lock, ...told } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    assert.deepEqual(told, TOLD);
    if (make === 'holdfast') assert.deepEqual(lock, [true, 'lock_does_not_exist']);
    assert.deepEqual(await sidecar.exited, [0, null]);
  } finally {
    await sidecar.stop();
  }
}

const TOLD = {
  invoke: ['got INVOKE', ['value-1']],
  topic: [['{"id":1}', 'TOPIC_B', 'com.dapr.event.sent']],
  rule: ['x'],
  'dead letter': [['bad', 'TOPIC_D_DEAD']],
  bulk: ['b1', 'b2', 'bad'],
  binding: true,
  stream: [0, 1, 2].map((n) => [{ n }, 'STREAMED']),
  state: ['value', ['INVALID_ARGUMENT', 'ERR_STATE_SAVE'], ['ABORTED', 'ERR_STATE_SAVE'], ''],
  error: ['INVALID_ARGUMENT', 'DAPR_STATE_ILLEGAL_KEY'],
  nowhere: ['INVALID_ARGUMENT', 'DAPR_STATE_NOT_FOUND'],
  secret: { TEST_SECRET_1: 'secret_val_1' },
  secrets: 'secret_val_2',
  metadata: ['sdk-app', 'yes'],
  'output binding': [true, 'hello'],
};
