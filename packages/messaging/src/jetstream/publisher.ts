import { identityOf } from '../died-at.ts';
import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { tooLarge } from '../too-large.ts';
import { fillHeaders, headerProblem, knownAs, payloadBytes } from './deliveries.ts';
import { endConnection, type Link, openLink, reasonOf } from './link.ts';
import type { JetStreamPubAck } from './module.ts';
import { subjectOf, topicProblem } from './names.ts';
import { placeOf, type ResolvedJetStreamOptions } from './options.ts';
import { isTooLargeForStream, type Refusal, refusalOf } from './refusals.ts';

/**
 * Publishes and waits for the stream's acknowledgements, over a connection that
 * is made when it is needed and given up at the first trouble: what was on its
 * way then fails instead of being sent again behind the caller's back.
 */
export class JetStreamPublisher {
  readonly #options: ResolvedJetStreamOptions;
  #link: Promise<Link> | undefined;

  constructor(options: ResolvedJetStreamOptions) {
    this.#options = options;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const refusals = new Map<string, Refusal>();
    for (const message of messages) {
      const why =
        topicProblem(message.topic, this.#options.subjectPrefix) ?? headerProblem(message);
      if (why !== undefined) refusals.set(message.id, { kind: 'rejected', why });
    }
    const good = messages.filter(({ id }) => !refusals.has(id));
    if (good.length > 0) await this.#send(good, refusals);
    if (refusals.size === 0) return;
    const taken = messages.map(({ id }) => id).filter((id) => !refusals.has(id));
    const of = (kind: Refusal['kind']) =>
      new Map(
        [...refusals].filter(([, each]) => each.kind === kind).map(([id, { why }]) => [id, why]),
      );
    throw new BrokerRejectedError({
      rejected: of('rejected'),
      postponed: of('postponed'),
      taken: new Set(taken),
    });
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    // A link that failed has nothing to close.
    const open = await link?.catch(() => undefined);
    if (open !== undefined) await endConnection(open.connection, this.#options);
  }

  async #send(messages: readonly OutgoingMessage[], refusals: Map<string, Refusal>): Promise<void> {
    const { clock, servers, timeoutMs } = this.#options;
    this.#link ??= openLink(this.#options, 'publisher');
    const linking = this.#link;
    const expired = Promise.withResolvers<never>();
    const timer = clock.timer(timeoutMs, () =>
      expired.reject(new Error(`it did not acknowledge within ${timeoutMs} ms`)),
    );
    let link: Link | undefined;
    try {
      link = await Promise.race([linking, expired.promise]);
      // Where the link is lost they fail as well, one by one; the reason is that of the loss.
      const work = link.lost.or(Promise.all(messages.map((message) => this.#one(link!, message))));
      const answers = await Promise.race([work, expired.promise]);
      for (const [index, refusal] of answers.entries()) {
        if (refusal !== undefined) refusals.set(messages[index]!.id, refusal);
      }
    } catch (error) {
      if (this.#link === linking) this.#link = undefined;
      // Whatever else goes wrong while it closes changes nothing.
      void linking
        .then(({ connection }) => endConnection(connection, this.#options))
        .catch(() => {});
      const why = reasonOf(error, this.#options);
      throw new BrokerUnavailableError(
        `${placeOf(servers)} did not take the messages: ${why}.`,
        error,
        false,
        link === undefined,
      );
    } finally {
      timer.cancel();
    }
  }

  /** Resolves with why it was not taken; undefined when the stream has it. */
  async #one(
    { connection, manager }: Link,
    message: OutgoingMessage,
  ): Promise<Refusal | undefined> {
    const { duplicatesBy, nats, stream, subjectPrefix, timeoutMs } = this.#options;
    const subject = subjectOf(message.topic, subjectPrefix);
    const limit = connection.info?.max_payload;
    const bytes = payloadBytes(message, subject);
    if (limit !== undefined && bytes > limit) {
      return { kind: 'rejected', why: tooLarge(bytes, limit, 'max_payload of the server') };
    }
    const send = (msgID: string) =>
      manager.jetstream().publish(subject, message.body, {
        msgID,
        headers: fillHeaders(nats.headers(), message),
        timeout: timeoutMs,
      });
    try {
      if (duplicatesBy === 'id') {
        const ack = await send(identityOf(message));
        if (!ack.duplicate || (await isOn(subject, ack, manager))) return undefined;
        // The stream has the id from another topic, a dead letter's for example: it is not this message.
      }
      // One that it knows already is a duplicate of this message, and as good as taken.
      await send(knownAs(subject, identityOf(message)));
      return undefined;
    } catch (error) {
      if (isTooLargeForStream(error)) {
        const most = await maxMessageBytes(manager, stream);
        return { kind: 'rejected', why: tooLarge(bytes, most, 'max_msg_size of the stream') };
      }
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
  }
}

/** Undefined where the stream that took the subject is another one, or nobody may ask. */
async function maxMessageBytes(
  { streams }: Link['manager'],
  stream: string,
): Promise<number | undefined> {
  const { config } = await streams.info(stream).catch(() => ({ config: undefined }));
  const most = config?.max_msg_size ?? -1;
  return most > 0 ? most : undefined;
}

/** False also where nobody knows: to send it once more is the lesser evil. */
async function isOn(
  subject: string,
  { seq, stream }: JetStreamPubAck,
  { streams }: Link['manager'],
): Promise<boolean> {
  const known = await streams.getMessage(stream, { seq }).catch(() => null);
  return known?.subject === subject;
}
