import type { Timer } from '@holdfast/core';
import type { SubscriptionProblem } from '../broker.ts';
import { Hands } from '../consume/hands.ts';
import { type ResolvedSubscribeOptions, SUBSCRIBE_DEFAULTS } from '../consume/subscribe-options.ts';
import type { MqttPublish } from './module.ts';
import type { ResolvedMqttOptions } from './options.ts';
import { readPacket } from './read-packet.ts';
import type { Receipt } from './receipts.ts';

/** A message of a session, as it came. */
export interface Arrival extends Receipt {
  readonly packet: MqttPublish;
}

/** Topics that are told of; wildcards may bring any number. */
const MOST_TOLD = 100;

/**
 * What a kept session has for topics that nobody in this process subscribes to: an earlier process
 * did, and the session keeps its subscription. A broker sends so many messages ahead and no more
 * (Mosquitto: 20), so these hold up all the rest. They wait for `claimMs` after the session was
 * connected, or its subscriptions changed; then they are told of, and handed to who is named for them.
 */
export class Unclaimed {
  readonly #options: ResolvedMqttOptions;
  readonly #tell: (problem: SubscriptionProblem) => void;
  readonly #how: ResolvedSubscribeOptions;
  /** Each topic once for a connection. */
  readonly #told = new Set<string>();
  #hands: Hands | undefined;
  #waiting: Arrival[] = [];
  #grace: Timer | undefined;
  #late = false;

  constructor(options: ResolvedMqttOptions, tell: (problem: SubscriptionProblem) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#how = { ...SUBSCRIBE_DEFAULTS, group: 'unclaimed', onProblem: tell };
    const { clock, unclaimed } = options;
    if (unclaimed === 'keep') return;
    this.#hands = new Hands(unclaimed, this.#how, clock);
  }

  /** Somebody may still come who subscribes to it. */
  beginAnew(): void {
    this.#late = false;
    this.#grace?.cancel();
    this.#grace = this.#options.clock.timer(this.#options.claimMs, () => {
      this.#late = true;
      for (const arrival of this.takeAll()) this.add(arrival);
    });
  }

  add(arrival: Arrival): void {
    if (this.#late) this.#tellOf(arrival.packet.topic);
    if (!this.#late || this.#hands === undefined) this.#waiting.push(arrival);
    else this.#handOver(this.#hands, arrival);
  }

  /** Those that wait, for somebody to look through. */
  takeAll(): readonly Arrival[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** All of it comes again over the next connection. */
  connectionLost(): void {
    this.#grace?.cancel();
    this.#late = false;
    this.#waiting = [];
    this.#told.clear();
    this.#hands = this.#hands?.next();
  }

  async end(): Promise<void> {
    this.#grace?.cancel();
    await this.#hands?.end();
  }

  #handOver(hands: Hands, { acknowledge, ours, packet }: Arrival): void {
    const message = readPacket(packet, this.#options, this.#how);
    hands.give(message, acknowledge, { lane: packet.topic, ours });
  }

  #tellOf(topic: string): void {
    if (this.#told.has(topic) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(topic);
    const what = `The session at ${this.#options.url} has messages of "${topic}", to which nobody in this process subscribes`;
    const then =
      this.#hands === undefined
        ? '; once the broker has sent as many ahead as it may, nothing else comes. Subscribe to it, end its subscription at the broker, or say by mqttBroker.unclaimed what becomes of them.'
        : ': mqttBroker.unclaimed has them. To have no more, end its subscription at the broker.';
    this.#tell({ kind: 'unclaimed', topic, error: new Error(what + then) });
  }
}
