import { connect } from 'node:net';
import type { Broker } from '@holdfast/messaging';

/**
 * Opens `mqtt://host:port` or `kafka://host:port`. `clientId` must be the same
 * after a restart. Only the client that is needed is loaded.
 */
export async function openBroker(url: string, clientId: string): Promise<Broker> {
  const { protocol, host } = new URL(url);
  switch (protocol) {
    case 'mqtt:': {
      const { mqttBroker } = await import('@holdfast/messaging/mqtt');
      return mqttBroker({ mqtt: await import('mqtt'), url, clientId });
    }
    case 'kafka:': {
      const { kafkaBroker } = await import('@holdfast/messaging/kafka');
      return kafkaBroker({
        kafka: await import('@platformatic/kafka'),
        bootstrap: [host],
        clientId,
      });
    }
    default:
      throw new RangeError(`BROKER_URL must begin with mqtt:// or kafka://, not ${protocol}//.`);
  }
}

/** Whether something takes connections at the host and port of `url`. */
export function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const end = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

/** A health check: rejects while nothing answers there. */
export async function mustAnswer(url: string): Promise<void> {
  if (!(await answers(url))) throw new Error(`Nothing answers at ${new URL(url).host}.`);
}
