import { join } from 'node:path';
import { openDatabase } from '../service/database.ts';
import { messageOf, serviceLog } from '../service/log.ts';
import { oncePrepared, prepareUntilDone } from '../service/prepare.ts';
import { readEnvironment, runService } from '../service/run-service.ts';
import { sidecarClient } from '../service/sidecar-client.ts';
import { authenticator } from './authenticate.ts';
import { backgroundLoop } from './background-loop.ts';
import { eventForwarder } from './event-forwarder.ts';
import { publicKeys } from './public-keys.ts';
import { sensorApp } from './sensor-app.ts';
import { makeTables } from './tests-table.ts';
import { testWorker } from './worker.ts';

const env = readEnvironment(process.env);
const log = serviceLog('sensor-service');
const postgres = openDatabase({
  url: env.need('DATABASE_URL'),
  passwordFile: env.need('PGPASSFILE'),
});
const sidecar = sidecarClient(env.sidecarPort);
const keys = await publicKeys(join(env.stateDir, 'sensor-service', 'auth-keys.json'), sidecar);

const tables = prepareUntilDone('sensor-tables', () => makeTables(postgres));
const fetchingKeys = prepareUntilDone('auth-keys', () => keys.refresh());
const database = oncePrepared(postgres, tables.done);

const forward = eventForwarder(database, sidecar);
const forwarding = backgroundLoop(forward, {
  onFailure: (error) => log.warn('Events wait to be handed over', { error: messageOf(error) }),
});
const work = testWorker(database);
const working = backgroundLoop(
  async () => {
    const worked = await work();
    if (worked) forwarding.wake();
    return worked;
  },
  { onFailure: (error) => log.warn('Tests wait for the database', { error: messageOf(error) }) },
);

const app = sensorApp({
  database,
  authenticate: authenticator(sidecar, keys),
  onAccepted: () => working.wake(),
});
await runService(app, env.port, async () => {
  tables.stop();
  fetchingKeys.stop();
  await Promise.all([working.stop(), forwarding.stop()]);
  await database.close();
});
