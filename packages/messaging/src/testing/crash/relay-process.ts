import { kafkaBroker } from '../../kafka/index.ts';
import { mqttBroker } from '../../mqtt/index.ts';
import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';

/** A relay to be killed: `relay-process.ts FILE URL`. Runs until it is told to stop. */
const [path = '', url = ''] = process.argv.slice(2);
const outbox = await openOutbox({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
const broker = url.startsWith('mqtt:')
  ? mqttBroker({ mqtt: await import('mqtt'), url, clientId: 'crash-relay', timeoutMs: 2_000 })
  : kafkaBroker({
      kafka: await import('@platformatic/kafka'),
      bootstrap: [new URL(url).host],
      clientId: 'crash-relay',
    });
outbox.relay(broker, { batchSize: 20, leaseMs: 500, pollMs: 20 });
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await outbox.close();
  await broker.close();
});
