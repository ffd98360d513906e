import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '@holdfast/core';
import { type KafkaServer, kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';
import { createLogger } from '@holdfast/telemetry/log';
import { findProgram } from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { kafkaPubSub } from './kafka-pubsub.ts';

const openssl = findProgram('openssl');
const problem = (await kafkaProblem()) ?? (openssl === undefined ? 'no openssl' : undefined);
if (problem !== undefined) {
  if (process.env.CI === 'true') throw new Error(problem);
  test('pubsub.kafka signs in', { skip: problem }, () => {});
} else {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const [certFile, keyFile, store] = ['cert.pem', 'key.pem', 'store.pem'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  await promisify(execFile)(openssl as string, [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'],
    ...['-keyout', keyFile, '-out', certFile, '-subj', '/CN=kafka'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
  const [cert, key] = [await readFile(certFile, 'utf8'), await readFile(keyFile, 'utf8')];
  await writeFile(store, key + cert);
  const ssl = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certFile,
  };

  test('passwords, plain and scrambled, over TLS whose certificate is checked', async (t) => {
    const server = await startKafka({
      dataDir: path.join(folder, 'sasl'),
      properties: {
        ...ssl,
        'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.plaintext.plain.sasl.jaas.config':
          'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="pw" user_me="pw";',
        'listener.name.plaintext.scram-sha-256.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        'listener.name.plaintext.scram-sha-512.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
      formatArgs: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        ...['--add-scram', `${mechanism}=[name=me,password=pw]`],
      ]),
    });
    t.after(() => server.kill());
    const password = { authType: 'password', saslUsername: 'me', saslPassword: 'pw', caCert: cert };
    assert.deepEqual(
      [
        await roundTrip(server, password),
        await roundTrip(server, { ...password, saslMechanism: 'SHA-256' }),
        await roundTrip(server, { ...password, saslMechanism: 'SHA-512' }),
        await roundTrip(server, { ...password, caCert: '', skipVerify: 'true' }),
        await roundTrip(server, { ...password, saslPassword: 'wrong' }),
        await roundTrip(server, { ...password, caCert: '' }),
      ],
      ['arrived', 'arrived', 'arrived', 'arrived', 'refused', 'refused'],
    );
  });

  test('certificates: the server’s is checked, and ours shown', async (t) => {
    const server = await startKafka({
      dataDir: path.join(folder, 'ssl'),
      properties: {
        ...ssl,
        'listener.security.protocol.map': 'PLAINTEXT:SSL,CONTROLLER:PLAINTEXT',
        'ssl.client.auth': 'required',
      },
    });
    t.after(() => server.kill());
    const pair = { clientCert: cert, clientKey: key };
    assert.deepEqual(
      [
        await roundTrip(server, { authType: 'mtls', caCert: cert, ...pair }),
        await roundTrip(server, { authType: 'mtls', ...pair }),
        // It shows none, and this server wants one.
        await roundTrip(server, { authType: 'certificate', caCert: cert }),
      ],
      ['arrived', 'refused', 'refused'],
    );
  });
}

let topics = 0;

/** Publishes an event, and has it handed over where that was not refused. */
async function roundTrip({ port }: KafkaServer, metadata: Readonly<Record<string, string>>) {
  const settings = { brokers: `127.0.0.1:${port}`, consumerGroup: 'g', ...metadata };
  const pubsub = await kafkaPubSub(new ComponentSettings('p', Object.entries(settings)), {
    appId: 'one',
    clock: systemClock,
    log: createLogger({ write: () => {} }),
  });
  topics += 1;
  const topic = `secure-${topics}`;
  try {
    await pubsub.publish(topic, { data: Buffer.from('first'), metadata: {} });
    const arrived = Promise.withResolvers<void>();
    await pubsub.subscribe(topic, async () => arrived.resolve());
    await pubsub.publish(topic, { data: Buffer.from('x'), metadata: {} });
    await arrived.promise;
    return 'arrived';
  } catch {
    return 'refused';
  } finally {
    await pubsub.close();
  }
}
