import { bulkhead, type Pipeline, pipeline } from '@holdfast/core';
import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import type { MqttLayout } from './layout.ts';
import type { MqttClient, MqttConnack } from './module.ts';
import { connectOptions, type ResolvedMqttOptions } from './options.ts';
import { NO_SUBSCRIBER, publishProblem, rejectionOf } from './packets.ts';

/**
 * Of QoS 2 a broker keeps a packet id for longer, and drops what is more than it allows: an MQTT 3.1.1
 * one without a word, so there it is as many as Mosquitto allows where nobody said otherwise.
 */
const USUAL_WINDOW = 20;

const PATIENT = { queueLimit: 1_000_000, queueTimeoutMs: Number.POSITIVE_INFINITY };

interface Connected {
  readonly client: MqttClient;
  readonly maxPacketBytes: number;
  /** Packet ids whose PUBACK or PUBREC said that nobody had subscribed; the callback of `publish` is not told. */
  readonly unheard: Set<number>;
  /** So many of QoS 2 are on their way at a time. */
  readonly window: Pipeline;
  /** Why it is not used any more; the client tells those that were on their way that it was closed, and no more. */
  givenUp?: string;
}

type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'rejected' | 'postponed'; readonly reason: string }
  | { readonly kind: 'lost'; readonly error: BrokerUnavailableError };

/**
 * Publishes over a connection that is made when it is needed and given up at
 * the first trouble. The client's own reconnecting stays off: it would keep
 * what we published in memory and send it later, when the outbox has long
 * decided what to do with it.
 */
export class MqttPublisher {
  readonly #options: ResolvedMqttOptions;
  #connection: Promise<Connected> | undefined;

  constructor(options: ResolvedMqttOptions) {
    this.#options = options;
  }

  /** @throws BrokerUnavailableError */
  async connect(): Promise<void> {
    this.#connection ??= this.#connect();
    await this.#connection;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    const connected = await connection;
    const giveUp = (why: string) => {
      // The next publish may have made another by now.
      if (this.#connection === connection) this.#connection = undefined;
      connected.givenUp ??= why;
      connected.client.end(true, () => {});
    };
    const verdicts = await Promise.all(
      messages.map((message) => this.#publishOne(connected, message, giveUp)),
    );
    const rejected = new Map<string, string>();
    const postponed = new Map<string, string>();
    const taken = new Set<string>();
    for (const [index, verdict] of verdicts.entries()) {
      if (verdict.kind === 'lost') throw verdict.error;
      const id = messages[index]?.id ?? '';
      if (verdict.kind === 'rejected') rejected.set(id, verdict.reason);
      else if (verdict.kind === 'postponed') postponed.set(id, verdict.reason);
      else taken.add(id);
    }
    if (rejected.size + postponed.size > 0)
      throw new BrokerRejectedError({ rejected, postponed, taken });
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    // A connection that failed leaves nothing to close.
    const connected = await connection?.catch(() => undefined);
    if (connected !== undefined)
      await new Promise<void>((resolve) => connected.client.end(false, resolve));
  }

  #publishOne(
    connected: Connected,
    message: OutgoingMessage,
    giveUp: (why: string) => void,
  ): Promise<Verdict> {
    const { client, maxPacketBytes, unheard, window } = connected;
    const { clock, layout, qos, timeoutMs, requireSubscriber, url } = this.#options;
    let extras: ReturnType<MqttLayout['extrasOf']>;
    try {
      extras = layout.extrasOf(message);
    } catch (error) {
      return Promise.resolve({ kind: 'rejected', reason: (error as Error).message });
    }
    const { retain = false, userProperties } = extras;
    const problem = publishProblem(message, userProperties ?? {}, maxPacketBytes);
    if (problem !== undefined) return Promise.resolve({ kind: 'rejected', reason: problem });
    const send = () =>
      new Promise<Verdict>((resolve) => {
        const timer = clock.timer(timeoutMs, () => {
          const why = `${url} did not acknowledge a message within ${timeoutMs} ms.`;
          resolve(lost(why));
          giveUp(why);
        });
        const body = Buffer.from(
          message.body.buffer,
          message.body.byteOffset,
          message.body.byteLength,
        );
        // Of QoS 0 there is none, and the callback may come before `publish` returns.
        let packetId: number | undefined;
        const properties = userProperties === undefined ? {} : { properties: { userProperties } };
        client.publish(message.topic, body, { qos, retain, ...properties }, (error) => {
          timer.cancel();
          const nobody = packetId !== undefined && unheard.delete(packetId);
          const reason = rejectionOf(reasonCodeOf(error));
          if (reason !== undefined) resolve({ kind: 'rejected', reason });
          else if (error) {
            const why = connected.givenUp ?? `${url} did not take a message: ${error.message}.`;
            resolve(lost(why, error));
          } else if (nobody && requireSubscriber) {
            const why = `nobody has subscribed to "${message.topic}" yet`;
            resolve({ kind: 'postponed', reason: why });
          } else resolve({ kind: 'taken' });
        });
        packetId = client.getLastMessageId();
      });
    return qos === 2 ? window.execute(send) : send();
  }

  #connect(): Promise<Connected> {
    const { mqtt, url, clientId, timeoutMs, clock } = this.#options;
    const connection = new Promise<Connected>((resolve, reject) => {
      const client = mqtt.connect(url, {
        ...connectOptions(this.#options),
        clientId: `${clientId}-publisher`,
        clean: true,
        reconnectPeriod: 0,
        queueQoSZero: false,
      });
      const unheard = new Set<number>();
      let problem: Error | undefined;
      const fail = (what: string) => {
        timer.cancel();
        // Fails what is in flight on it, at once; and what comes next makes a new one.
        if (this.#connection === connection) this.#connection = undefined;
        client.end(true, () => {});
        reject(new BrokerUnavailableError(`${url} ${what}.`, problem, isShutOut(problem), true));
      };
      const timer = clock.timer(timeoutMs, () => fail(`did not answer within ${timeoutMs} ms`));
      client.on('error', (error) => {
        problem = error;
        fail(`cannot be reached: ${describe(error)}`);
      });
      client.on('close', () =>
        fail(`cannot be reached: ${problem ? describe(problem) : 'it closed the connection'}`),
      );
      client.on('packetreceive', ({ cmd, messageId, reasonCode }) => {
        const answers = cmd === 'puback' || cmd === 'pubrec';
        if (answers && reasonCode === NO_SUBSCRIBER) unheard.add(messageId ?? 0);
      });
      client.on('connect', (packet: MqttConnack) => {
        timer.cancel();
        const maxPacketBytes = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
        const limit = packet.properties?.receiveMaximum ?? USUAL_WINDOW;
        const window = pipeline('publications on their way', [bulkhead({ limit, ...PATIENT })]);
        resolve({ client, maxPacketBytes, unheard, window });
      });
    });
    return connection;
  }
}

function lost(message: string, cause?: unknown): Verdict {
  return { kind: 'lost', error: new BrokerUnavailableError(message, cause) };
}

/** CONNACK's reasons that stay: the protocol or name is refused, the user or password wrong, the client not wanted (3.1.1: 1, 2, 4, 5). */
const SHUT_OUT = new Set([1, 2, 4, 5, 128 + 4, 128 + 5, 128 + 6, 128 + 7, 128 + 10, 128 + 12]);

const isShutOut = (error: Error | undefined): boolean => SHUT_OUT.has(reasonCodeOf(error) ?? 0);

function reasonCodeOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** Node puts the causes of a refused connection into an AggregateError whose own message is empty. */
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
