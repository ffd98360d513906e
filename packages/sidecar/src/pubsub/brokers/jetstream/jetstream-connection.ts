import type { Clock } from '@holdfast/core';
import { type JetStreamBrokerOptions, natsConnectOptions } from '@holdfast/messaging/jetstream';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import { UnreachableError } from '../../../flow/unreachable-error.ts';
import type { JetStreamSettings } from './jetstream-settings.ts';

const TIMEOUT_MS = 5_000;

export interface JetStreamConnection {
  readonly connection: nats.NatsConnection;
  readonly manager: jetstream.JetStreamManager;
}

/** NATS as the settings say. @throws Error for a seed that is none. */
export function jetstreamOptions(own: JetStreamSettings, clock: Clock): JetStreamBrokerOptions {
  return {
    ...{ nats, jetstream, clock, ...apiOf(own) },
    servers: own.servers,
    clientId: own.name,
    subjectPrefix: '',
    createStream: false,
    // As daprd names a message to the stream.
    duplicatesBy: 'id',
    timeoutMs: TIMEOUT_MS,
    connection: signedIn(own),
  };
}

/** A connection of one's own, which `what` names to NATS. */
export async function connectToJetStream(
  own: JetStreamSettings,
  options: JetStreamBrokerOptions,
  what: string,
): Promise<JetStreamConnection> {
  const connection = await nats.connect(natsConnectOptions(options, what));
  const manager = await jetstream.jetstreamManager(connection, {
    ...apiOf(own),
    timeout: TIMEOUT_MS,
    checkAPI: false,
  });
  return { connection, manager };
}

/**
 * Finds out whether NATS lets us in.
 *
 * @throws UnreachableError where it cannot be asked, which may pass; Error where it says no, which stays.
 */
export async function reachJetStream(
  own: JetStreamSettings,
  options: JetStreamBrokerOptions,
): Promise<void> {
  const { connection } = await connectToJetStream(own, options, 'start').catch((cause: Error) => {
    // Hosts alone: an address may hold a password.
    const hosts = own.servers.map((url) => new URL(url).host).join(', ');
    const said = `NATS at ${hosts}: ${cause.message}`;
    // Time does not heal what it says of who we are; an outbox may wait for anything else.
    const answered = /^(?:Authorization|UserAuthenticationExpired)/.test(cause.name);
    throw answered ? new Error(said, { cause }) : new UnreachableError(said, { cause });
  });
  await connection.close();
}

const apiOf = ({ apiPrefix, domain }: JetStreamSettings) => ({
  ...(domain === undefined ? {} : { domain }),
  ...(apiPrefix === undefined ? {} : { apiPrefix }),
});

function signedIn({
  component,
  credentials,
}: JetStreamSettings): Readonly<Record<string, unknown>> {
  switch (credentials.kind) {
    case 'none':
      return {};
    case 'token':
      return { token: credentials.token };
    case 'jwt': {
      const seed = new TextEncoder().encode(credentials.seed);
      try {
        nats.nkeys.fromSeed(seed);
      } catch {
        // Its own words name no item.
        throw new Error(
          `component ${component}: metadata seedKey must be a seed of NATS, which begins with S`,
        );
      }
      return { authenticator: nats.jwtAuthenticator(credentials.jwt, seed) };
    }
    case 'certificate':
      return { tls: { cert: credentials.cert, key: credentials.key } };
  }
}
