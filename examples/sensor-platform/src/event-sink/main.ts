import { join } from 'node:path';
import { systemClock } from '@holdfast/core';
import { type IncomingMessage, type SubscribeOptions, textOf } from '@holdfast/messaging';
import { type PlatformEvent, TOPIC } from '../event-service/event-app.ts';
import { mustAnswer, openBroker } from '../service/broker.ts';
import { messageOf, serviceLog } from '../service/log.ts';
import { prepareUntilDone } from '../service/prepare.ts';
import { readEnvironment, runService } from '../service/run-service.ts';
import { openEventStore } from './event-store.ts';
import { sinkApp } from './sink-app.ts';

const env = readEnvironment(process.env);
const log = serviceLog('event-sink');
const brokerUrl = env.need('BROKER_URL');
const store = openEventStore(join(env.stateDir, 'event-sink', 'events.db'));
const broker = await openBroker(brokerUrl, 'event-sink');

/** The broker counts a message as delivered when this resolves: when it is in the store. */
const record = async (message: IncomingMessage) => {
  const { type, test_id = null } = JSON.parse(textOf(message)) as PlatformEvent;
  const at = new Date(systemClock.wallMs()).toISOString();
  await store.record({ id: message.id, test_id, type, at });
};

const subscribing = prepareUntilDone('subscription', async () => {
  const onProblem: SubscribeOptions['onProblem'] = ({ kind, error }) =>
    log.warn(kind, { error: messageOf(error) });
  await broker.subscribe(TOPIC, { group: 'event-sink', onProblem }, record);
});
// Brokers keep messages for groups they know. At the very first start this one must be known
// before anything is published, and event-service waits for our port (dapr.yaml, `needs`).
await Promise.race([subscribing.done, systemClock.sleep(10_000)]);

const app = sinkApp({ store, broker: () => mustAnswer(brokerUrl) });
await runService(app, env.port, async () => {
  subscribing.stop();
  await broker.close();
  store.close();
});
