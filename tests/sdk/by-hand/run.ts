import { spawn } from 'node:child_process';
import { freePort, redisServer, Unavailable } from '@holdfast/test-servers';
import { findDaprd } from '../../conformance/makes/daprd.ts';
import { startFlagged } from '../../conformance/makes/flagged.ts';
import { components } from '../sdk-components.ts';

/**
 * `run.ts holdfast|daprd http|grpc COMMAND …`: starts a Redis and a sidecar with the components of
 * the SDK tests, and the command beside it; `PORT` in it becomes the application's port.
 */
const [make, protocol = 'http', command = '', ...args] = process.argv.slice(2);
const redis = await redisServer();
if (redis instanceof Unavailable) throw new Error(redis.why);
const daprd = make === 'daprd' ? await findDaprd() : undefined;
if (make === 'daprd' && daprd === undefined) throw new Error('This machine has no daprd.');
const appPort = await freePort();
const sidecar = await startFlagged(daprd, {
  flags: { 'app-id': 'sdk-app', 'app-port': appPort, 'app-protocol': protocol },
  env: { TEST_SECRET_1: 'secret_val_1', TEST_SECRET_2: 'secret_val_2' },
  resources: components(redis.port),
  wait: false,
});
const program = spawn(
  command,
  args.map((one) => one.replace('PORT', String(appPort))),
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      DAPR_CLIENT_TIMEOUT_SECONDS: '40',
      DAPR_GRPC_PORT: String(sidecar.ports.grpc),
      DAPR_HTTP_PORT: String(sidecar.ports.http),
    },
  },
);
const status = await new Promise<number>((resolve) =>
  program.once('close', (code) => resolve(code ?? 1)),
);
if (status !== 0) console.error(sidecar.said());
await sidecar.stop();
await redis.process.remove();
process.exitCode = status;
