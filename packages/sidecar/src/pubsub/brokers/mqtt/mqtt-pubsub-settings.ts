import type { MqttTls } from '@holdfast/messaging/mqtt';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { readGoWhole, wholeNumber } from '../../../components/whole-number.ts';

export interface MqttPubSubSettings {
  /** Without who signs in. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The name of the client, and with it of its session at the broker. */
  readonly consumerId: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly cleanSession: boolean;
  readonly tls: MqttTls | undefined;
}

/** Dapr's names of ways to connect, and the client's. */
const SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'mqtt',
  mqtt: 'mqtt',
  ssl: 'mqtts',
  tls: 'mqtts',
  tcps: 'mqtts',
  mqtts: 'mqtts',
  ws: 'ws',
  wss: 'wss',
};

/** @throws Error that names the item and what may stand there. */
export function mqttPubSubSettings(
  settings: ComponentSettings,
  names: { readonly appId: string },
): MqttPubSubSettings {
  const qos = wholeNumber(settings, 'qos', 1, readGoWhole);
  if (qos !== 0 && qos !== 1 && qos !== 2) {
    throw new Error(`metadata qos must be 0, 1 or 2, not ${qos}`);
  }
  const address = addressOf(settings.text('url'));
  return {
    ...address,
    consumerId: settings.text('consumerID') ?? names.appId,
    qos,
    retain: settings.flag('retain'),
    cleanSession: settings.flag('cleanSession'),
    // Beside a URL in the clear they have no effect, which the log says of what nobody asks for.
    tls: /^(?:mqtts|wss):/.test(address.url) ? tlsOf(settings) : undefined,
  };
}

function addressOf(given: string | undefined) {
  if (given === undefined) throw new Error('metadata url must be given: "tcp://host:1883"');
  const match = /^([a-z]+):\/\/(.+)$/i.exec(given);
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? ''];
  const text = `${scheme}://${match?.[2]}`;
  if (scheme === undefined || !URL.canParse(text)) {
    // Not shown: a password may be in it.
    const known = Object.keys(SCHEMES).join(', ');
    throw new Error(`metadata url must be SCHEME://HOST:PORT; schemes are ${known}`);
  }
  const url = new URL(text);
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  url.username = '';
  url.password = '';
  return { url: url.href, username: username || undefined, password: password || undefined };
}

function tlsOf(settings: ComponentSettings): MqttTls | undefined {
  const [ca, cert, key] = ['caCert', 'clientCert', 'clientKey'].map((name) => {
    const text = settings.text(name);
    if (text === undefined || text.includes('-----BEGIN ')) return text;
    throw new Error(`metadata ${name} must be PEM, beginning with -----BEGIN`);
  });
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error('metadata clientCert and clientKey must be given together');
  }
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
