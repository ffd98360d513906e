import { answered, type Patience } from '../answered.ts';
import { Loss } from '../loss.ts';
import type { JetStreamManager, NatsConnection } from './module.ts';
import { connectOptions, placeOf, type ResolvedJetStreamOptions } from './options.ts';
import { apiCode, STREAM_NAME_IN_USE, STREAM_NOT_FOUND } from './refusals.ts';

/** A connection with JetStream behind it, from its first use to its first trouble. */
export interface Link {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** Happens when the connection is gone. */
  readonly lost: Loss;
}

/** Connects, and makes the stream where it is missing and may be made. */
export async function openLink(options: ResolvedJetStreamOptions, what: string): Promise<Link> {
  const { apiPrefix, domain, jetstream, nats, timeoutMs } = options;
  const connection = await nats.connect(connectOptions(options, what));
  const lost = new Loss();
  void connection
    .closed()
    .then((error) => lost.happen(error ?? new Error('the connection was closed')));
  try {
    const manager = await jetstream.jetstreamManager(connection, {
      timeout: timeoutMs,
      checkAPI: false,
      ...(domain === undefined ? {} : { domain }),
      ...(apiPrefix === undefined ? {} : { apiPrefix }),
    });
    if (options.createStream) await lost.or(ensureStream(manager, options));
    return { connection, manager, lost };
  } catch (error) {
    await endConnection(connection, options);
    throw error;
  }
}

/**
 * Closes a connection, and ends within `timeoutMs` whatever the server does meanwhile. Never rejects: it
 * may be closed already, which is what is wanted.
 */
export async function endConnection(connection: NatsConnection, patience: Patience): Promise<void> {
  await answered(connection.close(), patience, 'close').catch(() => {});
}

async function ensureStream(
  { streams }: JetStreamManager,
  options: ResolvedJetStreamOptions,
): Promise<void> {
  const { duplicateWindowMs, maxAgeMs, maxBytes, replicas, stream, subjectPrefix } = options;
  try {
    await streams.info(stream);
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
    await streams
      .add({
        name: stream,
        subjects: [`${subjectPrefix}>`],
        storage: 'file',
        retention: 'limits',
        discard: 'new',
        num_replicas: replicas,
        max_age: nanos(maxAgeMs),
        max_bytes: maxBytes === 0 ? -1 : maxBytes,
        duplicate_window: nanos(duplicateWindowMs),
      })
      .catch((failure: unknown) => {
        // Another process was quicker, and wanted it otherwise: it is there.
        if (apiCode(failure) !== STREAM_NAME_IN_USE) throw failure;
      });
  }
}

export const nanos = (ms: number): number => ms * 1_000_000;

/** Why something did not work, as one sentence without its full stop. */
export function reasonOf(error: unknown, { servers }: ResolvedJetStreamOptions): string {
  const message = error instanceof Error ? error.message : String(error);
  // The client's word for: nobody answered on that subject.
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') {
    return `no stream of ${placeOf(servers)} takes it, or JetStream is off there`;
  }
  return message;
}
