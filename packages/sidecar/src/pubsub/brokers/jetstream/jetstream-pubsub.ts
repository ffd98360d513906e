import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import {
  type JetStreamBrokerOptions,
  jetstreamBroker,
  natsConnectOptions,
} from '@holdfast/messaging/jetstream';
import type { Logger } from '@holdfast/telemetry/log';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { UnreachableError } from '../../../flow/unreachable-error.ts';
import type { PubSub } from '../../pubsub.ts';
import { whenReached } from '../when-reached.ts';
import { JetStreamConsumer } from './jetstream-consumer.ts';
import { carried, isHeaderValue } from './jetstream-metadata.ts';
import { type JetStreamSettings, jetstreamSettings } from './jetstream-settings.ts';

export interface JetStreamPubSubEnv {
  readonly clock: Clock;
  readonly log: Logger;
  readonly mayBeAway?: boolean;
}

const TIMEOUT_MS = 5_000;

/**
 * `pubsub.jetstream`: a topic is a subject of a stream that somebody has made, a subscription a
 * consumer that pushes, made as Dapr makes it. Published is what the stream has acknowledged; an
 * event sent twice within the stream's window is known by its CloudEvents id.
 *
 * @throws Error for a NATS that does not answer, or metadata that cannot be.
 */
export async function jetstreamPubSub(
  settings: ComponentSettings,
  { clock, log, mayBeAway = false }: JetStreamPubSubEnv,
): Promise<PubSub> {
  const own = jetstreamSettings(settings);
  const api = {
    ...(own.domain === undefined ? {} : { domain: own.domain }),
    ...(own.apiPrefix === undefined ? {} : { apiPrefix: own.apiPrefix }),
  };
  const options: JetStreamBrokerOptions = {
    ...{ nats, jetstream, clock, ...api },
    servers: own.servers,
    clientId: own.name,
    subjectPrefix: '',
    createStream: false,
    // As daprd names a message to the stream.
    duplicatesBy: 'id',
    timeoutMs: TIMEOUT_MS,
    connection: signedIn(own),
  };
  const connect = async (what: string) => {
    const connection = await nats.connect(natsConnectOptions(options, what));
    const manager = await jetstream.jetstreamManager(connection, {
      ...api,
      timeout: TIMEOUT_MS,
      checkAPI: false,
    });
    return { connection, manager };
  };
  // Who cannot be reached, or does not let us in, is found out now.
  const { connection } = await connect('start').catch((cause: Error) => {
    // Hosts alone: an address may hold a password.
    const hosts = own.servers.map((url) => new URL(url).host).join(', ');
    const said = `NATS at ${hosts}: ${cause.message}`;
    // Time does not heal what it says of who we are; an outbox may wait for anything else.
    const answered = /^(?:Authorization|UserAuthenticationExpired)/.test(cause.name);
    throw answered ? new Error(said, { cause }) : new UnreachableError(said, { cause });
  });
  await connection.close();

  const broker = jetstreamBroker(options);
  const consumers = new Set<JetStreamConsumer>();
  const ending = new AbortController();
  const closing = ending.signal;
  return {
    capabilities: [],
    async publish(topic, { data, id, metadata }, signal) {
      const message = { id: id ?? idOf(data), topic, key: undefined, body: data };
      await whenReached(() => broker.publish([{ ...message, headers: carried(metadata) }]), {
        ...{ clock, closing, mayBeAway, signal },
      });
    },
    async subscribe(topic, handler, _details, gather = 1) {
      const consumer = new JetStreamConsumer({
        ...{ topic, handler, gathers: gather > 1, settings: own, clock, log },
        connect: () => connect(topic),
      });
      consumers.add(consumer);
      await consumer.start();
      return {
        async close() {
          consumers.delete(consumer);
          await consumer.drain();
          consumer.stop();
        },
      };
    },
    async drain() {
      await Promise.all([...consumers].map((consumer) => consumer.drain()));
    },
    async close() {
      ending.abort(new Error(`${own.component} is being closed`));
      for (const consumer of consumers) consumer.stop();
      // Not waited for: NATS may be away.
      void broker.close().catch(() => {});
    },
  };
}

/** By which the stream knows it again: as in Dapr the event's own, where it is one. */
function idOf(data: Buffer): string {
  try {
    const { id } = JSON.parse(data.toString('utf8')) as { id?: unknown };
    if (typeof id === 'string' && id !== '' && isHeaderValue(id)) return id;
  } catch {
    // Raw payloads have none.
  }
  return randomUUID();
}

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
