import type { OutgoingMessage } from '../message.ts';
import { tooLarge } from '../too-large.ts';

/** Room for what surrounds topic, properties and body in a PUBLISH: lengths, packet id. */
const OVERHEAD_BYTES = 64;

/** Why the broker would close the connection, or refuse, rather than take this message. */
export function publishProblem(
  { body, topic }: OutgoingMessage,
  userProperties: Readonly<Record<string, string>>,
  maxPacketBytes: number,
): string | undefined {
  const topicBytes = Buffer.byteLength(topic);
  if (topicBytes === 0 || topicBytes > 65_535) {
    return `the topic has ${topicBytes} bytes, and MQTT allows 1 to 65535`;
  }
  if (/[+#\0]/.test(topic)) return 'the topic contains +, # or a null character';
  if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker';
  let bytes = OVERHEAD_BYTES + topicBytes + body.byteLength;
  for (const [name, value] of Object.entries(userProperties)) {
    bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes <= maxPacketBytes) return undefined;
  return tooLarge(bytes, maxPacketBytes, 'the packet; the size the broker allows');
}

/** PUBACK reasons that no second attempt will change (MQTT 5, 3.4.2.1). */
const REJECTIONS: Readonly<Record<number, string>> = {
  135: 'this client may not publish to the topic',
  144: 'the broker does not accept the topic',
  149: 'the packet is too large for the broker',
  153: 'the payload is not of the format announced',
};

export function rejectionOf(reasonCode: number | undefined): string | undefined {
  return reasonCode === undefined ? undefined : REJECTIONS[reasonCode];
}

/** The broker took the message, and nobody had subscribed. */
export const NO_SUBSCRIBER = 16;
