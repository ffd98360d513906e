import type { MqttClient, MqttPublish } from './module.ts';

/** What the broker is told of one message, when its handler has succeeded. */
export interface Receipt {
  readonly acknowledge: () => void;
  /** Asked before it is handed over: with `false` it was handled, and the broker has been told so again. */
  readonly ours: () => boolean;
}

/**
 * A receipt belongs to the connection its message came over: after a reconnect the same packet id
 * may name another message, and a late PUBACK would have the broker forget one that nobody has
 * handled. So a message whose connection is gone is never acknowledged; it comes again.
 *
 * Of QoS 2 the receipt is the PUBREC: from then on the broker has forgotten the message and keeps
 * its packet id alone, until PUBREL and PUBCOMP (which the client exchanges by itself) free that too.
 *
 *     PUBLISH ─▶ handler ─▶ PUBREC ─▶ PUBREL ─▶ PUBCOMP
 *             comes again │ comes never again
 *
 * A process that ends left of the bar has it again; ids of what it has handled are remembered until
 * their PUBREL, so that one that lives through a lost connection does not handle a message twice.
 */
export class Receipts {
  readonly #client: MqttClient;
  /** Packet ids; as many at most as the broker sends ahead. */
  readonly #handled = new Set<number>();
  #connections = 0;

  constructor(client: MqttClient) {
    this.#client = client;
    client.on('packetreceive', ({ cmd, messageId = 0 }) => {
      if (cmd === 'pubrel') this.#handled.delete(messageId);
    });
  }

  /** A broker that has forgotten the session begins with new ids. */
  connected(hasSession: boolean): void {
    if (!hasSession) this.#handled.clear();
  }

  connectionLost(): void {
    this.#connections += 1;
  }

  of({ dup, messageId = 0, qos }: MqttPublish): Receipt {
    if (qos === 0) return { acknowledge: () => {}, ours: () => true };
    const cameOver = this.#connections;
    const say = (first: number) => {
      if (cameOver !== this.#connections || !this.#client.connected) return;
      // Type, two bytes that follow, the packet id: the same in MQTT 3.1.1 and 5.
      this.#client.stream.write(Buffer.of(first, 2, messageId >> 8, messageId & 0xff));
    };
    if (qos === 1) return { acknowledge: () => say(PUBACK), ours: () => true };
    // One that does not come again is another, whatever its id.
    if (!dup) this.#handled.delete(messageId);
    return {
      acknowledge: () => {
        this.#handled.add(messageId);
        say(PUBREC);
      },
      ours: () => {
        if (!this.#handled.has(messageId)) return true;
        say(PUBREC);
        return false;
      },
    };
  }
}

const PUBACK = 0x40;
const PUBREC = 0x50;
