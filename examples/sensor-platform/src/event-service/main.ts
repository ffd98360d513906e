import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openOutbox } from '@holdfast/messaging';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { mustAnswer, openBroker } from '../service/broker.ts';
import { serviceLog } from '../service/log.ts';
import { readEnvironment, runService } from '../service/run-service.ts';
import { eventApp } from './event-app.ts';

const env = readEnvironment(process.env);
serviceLog('event-service');
const brokerUrl = env.need('BROKER_URL');

const folder = join(env.stateDir, 'event-service');
await mkdir(folder, { recursive: true });
const outbox = await openOutbox({ store: sqliteStore({ path: join(folder, 'outbox.db') }) });

const broker = await openBroker(brokerUrl, 'event-service');
// The relay's own policies (`relayPolicies`) guard each batch; this is how soon it looks again.
const relay = outbox.relay(broker, { maxPauseMs: 1_000 });

const app = eventApp({ outbox, broker: () => mustAnswer(brokerUrl) });
await runService(app, env.port, async () => {
  await relay.stop();
  await broker.close();
  await outbox.close();
});
