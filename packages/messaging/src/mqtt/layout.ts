import { newMessageId } from '../accept/message-id.ts';
import type { Message, OutgoingMessage } from '../message.ts';
import type { MqttPublish } from './module.ts';

/** How messages travel, so that others that use the same topics can read them. */
export interface MqttLayout {
  /** What goes with the body. Throws, saying why, where this message cannot be sent: it is rejected for good. */
  extrasOf(message: OutgoingMessage): {
    /** The broker keeps it as the topic's last word. @default false */
    readonly retain?: boolean;
    /** MQTT 5 alone. */
    readonly userProperties?: Record<string, string>;
  };
  /** `wallMs` is for a new id, where the packet has none. */
  messageOf(packet: MqttPublish, wallMs: number): Message;
}

/** Ours among the user properties; the rest are the message's own headers. */
const ID = 'holdfast-id';
const KEY = 'holdfast-key';

/** Id, key and headers are user properties. A message from a publisher that is not ours has no id: it gets a new one at each delivery. */
export const propertiesLayout: MqttLayout = {
  extrasOf({ id, key, headers }) {
    const all = { ...headers, [ID]: id };
    return { userProperties: key === undefined ? all : { ...all, [KEY]: key } };
  },
  messageOf({ topic, payload, properties }, wallMs) {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(properties?.userProperties ?? {})) {
      headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    const { [ID]: id, [KEY]: key, ...rest } = headers;
    return { id: id || newMessageId(wallMs), topic, key, body: bytesOf(payload), headers: rest };
  },
};

/** MQTT 3.1.1 has nothing beside the body. */
export const bodyLayout: MqttLayout = {
  extrasOf: () => ({}),
  messageOf: ({ topic, payload }, wallMs) => ({
    ...{ id: newMessageId(wallMs), topic, key: undefined, headers: {} },
    body: bytesOf(payload),
  }),
};

const bytesOf = (payload: string | Buffer) =>
  typeof payload === 'string' ? Buffer.from(payload) : payload;
