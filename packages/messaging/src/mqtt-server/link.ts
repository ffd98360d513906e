import type { Socket } from 'node:net';
import { type IConnectPacket, type Packet, type Parser, parser, writeToStream } from 'mqtt-packet';

/** A QoS 0 message is dropped for a client that has this much unread. */
const QOS0_BACKLOG_BYTES = 1_048_576;

/** One client's connection: packets in, packets out, in the version it spoke first. */
export class Link {
  readonly #socket: Socket;
  readonly #parser: Parser = parser();
  readonly #maxPacketBytes: number;
  #version: 3 | 4 | 5 = 4;
  /** The CONNACK was sent. */
  ready = false;
  receiveMaximum = 65_535;

  constructor(socket: Socket, maxPacketBytes: number, onPacket: (packet: Packet) => void) {
    this.#socket = socket;
    this.#maxPacketBytes = maxPacketBytes;
    this.#parser.on('packet', onPacket);
    // What cannot be parsed cannot be answered; a client that was cut off connects again.
    this.#parser.on('error', () => this.destroy());
    socket.on('error', () => this.destroy());
    socket.on('data', (bytes) => this.#read(bytes));
  }

  get isV5(): boolean {
    return this.#version === 5;
  }

  /** Takes over what the client said of itself. */
  greet(connect: IConnectPacket): void {
    this.#version = connect.protocolVersion ?? 4;
    this.receiveMaximum = connect.properties?.receiveMaximum ?? 65_535;
    // MQTT 3.1.2.10: a client that says nothing for one and a half keep-alives is gone.
    const keepAliveS = connect.keepalive ?? 0;
    if (keepAliveS > 0) this.#socket.setTimeout(keepAliveS * 1_500, () => this.destroy());
  }

  send(packet: Packet): void {
    if (this.#socket.writable) {
      writeToStream(packet, this.#socket, { protocolVersion: this.#version });
    }
  }

  /** For messages that may be lost. */
  sendIfRoom(packet: Packet): void {
    if (this.#socket.writableLength < QOS0_BACKLOG_BYTES) this.send(packet);
  }

  /** Sends what was written before, then closes. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const unparsed = this.#parser.parse(bytes);
    // Room for the packet's header on top: 5 bytes and the topic are part of the limit of the client.
    if (unparsed > this.#maxPacketBytes + 65_536) this.destroy();
  }
}
