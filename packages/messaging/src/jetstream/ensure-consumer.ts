import { nanos } from './link.ts';
import type { JetStreamConsumerInfo, JetStreamManager } from './module.ts';
import { subjectOf } from './names.ts';
import type { ResolvedJetStreamOptions } from './options.ts';
import { apiCode, CONSUMER_NOT_FOUND } from './refusals.ts';

export interface WantedConsumer {
  readonly name: string;
  readonly topic: string;
  /** One message of the whole group is in hand at a time. */
  readonly ordered: boolean;
  readonly stream: ResolvedJetStreamOptions;
}

/** The consumer is there, and is not what the members of this group want. */
export class ConsumerMismatch extends Error {
  override readonly name = 'ConsumerMismatch';
}

/**
 * Makes the durable consumer of a group where it is missing; one that is there must be as wanted.
 * Resolves with the milliseconds that the server waits for its acknowledgements.
 */
export async function ensureConsumer(
  consumers: JetStreamManager['consumers'],
  { name, ordered, stream: options, topic }: WantedConsumer,
): Promise<number> {
  const subject = subjectOf(topic, options.subjectPrefix);
  const wanted = {
    durable_name: name,
    filter_subject: subject,
    deliver_policy: options.deliverFrom,
    ack_policy: 'explicit',
    ack_wait: nanos(options.ackWaitMs),
    max_ack_pending: ordered ? 1 : options.maxAckPending,
    max_deliver: -1,
  } as const;
  let there: JetStreamConsumerInfo;
  try {
    // Asked first: to some servers, making one that is there means changing it for all its members.
    there = await consumers.info(options.stream, name);
  } catch (error) {
    if (apiCode(error) !== CONSUMER_NOT_FOUND) throw error;
    there = await consumers.add(options.stream, wanted);
  }
  const { config } = there;
  if ((config.deliver_subject ?? '') !== '') {
    throw new ConsumerMismatch('it is there as one that pushes; name another group');
  }
  for (const property of ['filter_subject', 'max_ack_pending'] as const) {
    if (config[property] === wanted[property]) continue;
    throw new ConsumerMismatch(
      `it is there with ${property} ${config[property]}, and this member wants ${wanted[property]}; ` +
        'give all members the same options, or delete the consumer',
    );
  }
  // Whoever made it has said; nothing depends on who is right.
  return (config.ack_wait ?? wanted.ack_wait) / 1_000_000;
}
