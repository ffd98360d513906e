import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  mosquittoServer,
  natsServer,
  postgresServer,
  rabbitServer,
  redisServer,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { type SpanCollector, startCollector } from '../makes/span-collector.ts';
import { withKafka } from '../makes/with-kafka.ts';

/** Each kind of component with the server behind it, by its name. */
interface Components {
  readonly stores: Readonly<Record<string, string>>;
  readonly brokers: Readonly<Record<string, string>>;
  readonly others: Readonly<Record<string, string>>;
}

const V2 = { version: 'v2' };
/** The tables of both versions have one name, unless it is said otherwise. */
const APART = { tablePrefix: 'new_', metadataTableName: 'new_metadata' };
const TOPIC = 'orders';
const SELECT = '{"operation":"query","metadata":{"sql":"SELECT 1"}}';

// The program as people start it: what is bundled has other ways to miss a part than what runs from source. Of ours
// alone: no daprd has all of them built in, and what each does is asked of both makes elsewhere.
await withKafka('every component', async (kafka) => {
  await suiteWith('Redis', redisServer, (redis) =>
    suiteWith('PostgreSQL', postgresServer, (postgres) =>
      suiteWith('RabbitMQ', rabbitServer, (rabbit) =>
        suiteWith('NATS', natsServer, (nats) =>
          suiteWith('Mosquitto', mosquittoServer, async (mosquitto) => {
            const redisHost = `127.0.0.1:${redis.port}`;
            const connectionString = postgres.url;
            const ofKafka = { brokers: kafka, authType: 'none' };
            suite(nats.url, {
              stores: {
                memory: componentYaml('memory', 'state.in-memory'),
                redis: componentYaml('redis', 'state.redis', { redisHost }),
                old: componentYaml('old', 'state.postgresql', { connectionString }),
                new: componentYaml('new', 'state.postgresql', { connectionString, ...APART }, V2),
              },
              brokers: {
                'in-memory': componentYaml('in-memory', 'pubsub.in-memory'),
                streams: componentYaml('streams', 'pubsub.redis', { redisHost }),
                kafka: componentYaml('kafka', 'pubsub.kafka', ofKafka),
                rabbit: componentYaml('rabbit', 'pubsub.rabbitmq', {
                  connectionString: rabbit.url,
                }),
                jetstream: componentYaml('jetstream', 'pubsub.jetstream', {
                  natsURL: nats.url,
                }),
                mqtt: componentYaml('mqtt', 'pubsub.mqtt3', { url: mosquitto.url, qos: '1' }),
              },
              others: {
                settings: componentYaml('settings', 'configuration.redis', { redisHost }),
                records: componentYaml('records', 'bindings.kafka', {
                  ...ofKafka,
                  topics: 'records',
                  publishTopic: 'records',
                  consumerGroup: 'every',
                }),
                rows: componentYaml('rows', 'bindings.postgresql', { connectionString }),
              },
            });
          }),
        ),
      ),
    ),
  );
});

function suite(nats: string, { brokers, others, stores }: Components): void {
  describe('every component in one program', () => {
    const arrived = new Set<string>();
    let app: http.Server;
    let collector: SpanCollector;
    let sidecar: Flagged;
    let folder: string;
    const ask = (route: string, body?: string) =>
      fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0${route}`, {
        ...(body === undefined ? {} : { method: 'POST', body }),
        headers: { 'content-type': 'application/json' },
      });

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-every-'));
      collector = await startCollector();
      const connection = await connect({ servers: nats });
      await (await jetstreamManager(connection)).streams.add({ name: 'events', subjects: [TOPIC] });
      await connection.close();
      app = http.createServer((req, res) => {
        if (req.method === 'POST') arrived.add(req.url!);
        const subscriptions = Object.keys(brokers).map((pubsubname) => {
          return { pubsubname, topic: TOPIC, route: `/events/${pubsubname}` };
        });
        const asked = req.url === '/dapr/subscribe';
        res.setHeader('content-type', 'application/json');
        res.writeHead(req.url === '/dapr/config' ? 404 : 200);
        res.end(asked ? JSON.stringify(subscriptions) : '{}');
      });
      app.listen(0, '127.0.0.1');
      await once(app, 'listening');
      const lite = { connectionString: path.join(folder, 'lite.db') };
      const config = `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: settings }
spec: { tracing: { samplingRate: "1", zipkin: { endpointAddress: "${collector.url}" } } }
`;
      const configFile = path.join(folder, 'config.yaml');
      await writeFile(configFile, config);
      const documents = [
        ...Object.values({ ...stores, ...brokers, ...others }),
        componentYaml('lite', 'state.sqlite', lite),
        componentYaml('env', 'secretstores.local.env'),
      ];
      sidecar = await startFlagged(undefined, {
        flags: { 'app-port': (app.address() as AddressInfo).port, config: configFile },
        resources: { 'all.yaml': documents.join('---') },
        env: { EVERY: 'one' },
      });
    });
    after(async () => {
      await sidecar?.stop();
      app.closeAllConnections();
      app.close();
      collector.close();
      await rm(folder, { recursive: true, force: true });
    });

    for (const store of [...Object.keys(stores), 'lite']) {
      test(`state in ${store}`, async () => {
        const saved = await ask(`/state/${store}`, '[{"key":"k","value":7}]');
        const read = await ask(`/state/${store}/k`);
        assert.deepEqual([saved.status, await read.json()], [204, 7]);
      });
    }

    for (const broker of Object.keys(brokers)) {
      test(`events through ${broker}`, async () => {
        const published = await ask(`/publish/${broker}/${TOPIC}`, '{"n":1}');
        assert.equal(published.status, 204, await published.text());
        await until('it has come', () => arrived.has(`/events/${broker}`));
      });
    }

    test('settings, records, rows and secrets', async () => {
      const setting = await ask('/configuration/settings?key=absent');
      const record = await ask('/bindings/records', '{"operation":"create","data":"r"}');
      const rows = await ask('/bindings/rows', SELECT);
      const secret = await ask('/secrets/env/EVERY');
      assert.deepEqual(
        [setting.status, record.status, await rows.text(), await secret.json()],
        [204, 204, '[[1]]', { EVERY: 'one' }],
      );
      await until('the record has come', () => arrived.has('/records'));
    });

    test('spans reach their collector', async () => {
      await until('one has come', () => collector.spans().length > 0);
    });
  });
}
