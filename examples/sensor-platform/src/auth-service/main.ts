import { join } from 'node:path';
import { openDatabase } from '../service/database.ts';
import { serviceLog } from '../service/log.ts';
import { oncePrepared, prepareUntilDone } from '../service/prepare.ts';
import { readEnvironment, runService } from '../service/run-service.ts';
import { authApp } from './auth-app.ts';
import { loadSigningKey } from './signing-key.ts';
import { seedUsers } from './users.ts';

const env = readEnvironment(process.env);
serviceLog('auth-service');
const key = await loadSigningKey(join(env.stateDir, 'auth-service', 'signing-key.json'));
const database = openDatabase({
  url: env.need('DATABASE_URL'),
  passwordFile: env.need('PGPASSFILE'),
});

const preparing = prepareUntilDone('auth-schema', () => seedUsers(database));
const app = authApp(oncePrepared(database, preparing.done), key);
await runService(app, env.port, async () => {
  preparing.stop();
  await database.close();
});
