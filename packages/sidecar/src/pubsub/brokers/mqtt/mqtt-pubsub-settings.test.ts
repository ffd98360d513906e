import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { mqttPubSubSettings } from './mqtt-pubsub-settings.ts';

const names = { appId: 'shop' };
const url = 'tcp://h:1883';
const PEM = '-----BEGIN CERTIFICATE-----';

test('what is not given is as Dapr has it', () => {
  assert.deepEqual(read({ url }), {
    url: 'mqtt://h:1883',
    username: undefined,
    password: undefined,
    consumerId: 'shop',
    qos: 1,
    retain: false,
    cleanSession: false,
    tls: undefined,
  });
});

test('who signs in is taken out of the URL, whose schemes are Dapr’s', () => {
  const address = (given: string) => {
    const { password, url, username } = read({ url: given });
    return [url, username, password];
  };
  assert.deepEqual(
    [address('ssl://me:p%40w@h:8883'), address('MQTT://me@h'), address('wss://h/mqtt')],
    [
      ['mqtts://h:8883', 'me', 'p@w'],
      ['mqtt://h', 'me', undefined],
      ['wss://h/mqtt', undefined, undefined],
    ],
  );
});

test('the rest as it is given', () => {
  const { cleanSession, consumerId, qos, retain, tls } = read({
    ...{ url: 'ssl://h', consumerID: 'shop-1', qos: '0', retain: 'true', cleanSession: 'true' },
    ...{ caCert: PEM, clientCert: PEM, clientKey: PEM },
  });
  assert.deepEqual(
    { cleanSession, consumerId, qos, retain, tls },
    {
      ...{ cleanSession: true, consumerId: 'shop-1', qos: 0, retain: true },
      tls: { ca: PEM, cert: PEM, key: PEM },
    },
  );
});

test('certificates beside a URL in the clear are nobody’s, so that the log can name them', () => {
  const given = new ComponentSettings('p', Object.entries({ url, caCert: PEM }));
  assert.equal(mqttPubSubSettings(given, names).tls, undefined);
  assert.deepEqual(given.unasked(), ['caCert']);
});

const REFUSED: readonly [Readonly<Record<string, string>>, string][] = [
  [{}, 'metadata url must be given: "tcp://host:1883"'],
  [
    { url: 'http://me:secret@h' },
    'metadata url must be SCHEME://HOST:PORT; schemes are tcp, mqtt, ssl, tls, tcps, mqtts, ws, wss',
  ],
  [{ url, qos: 'twice' }, 'component p: metadata qos must be a whole number, not "twice"'],
  [{ url, qos: '8' }, 'metadata qos must be 0, 1 or 2, not 8'],
  [{ url: 'ssl://h', caCert: 'ca.pem' }, 'metadata caCert must be PEM, beginning with -----BEGIN'],
  [{ url: 'ssl://h', clientCert: PEM }, 'metadata clientCert and clientKey must be given together'],
];

for (const [metadata, why] of REFUSED) {
  test(`refused: ${why}`, () => {
    assert.throws(() => read(metadata), { message: why });
  });
}

function read(metadata: Readonly<Record<string, string>>) {
  return mqttPubSubSettings(new ComponentSettings('p', Object.entries(metadata)), names);
}
