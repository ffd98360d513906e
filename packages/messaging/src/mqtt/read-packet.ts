import { forgiving } from '../consume/forgiving.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import type { Message } from '../message.ts';
import { propertiesLayout } from './layout.ts';
import type { MqttPublish } from './module.ts';
import type { ResolvedMqttOptions } from './options.ts';

/** What a packet says by the layout, or, where that cannot read it, as it lies there. */
export function readPacket(
  packet: MqttPublish,
  { clock, layout }: ResolvedMqttOptions,
  options: ResolvedSubscribeOptions,
): Message {
  const wallMs = clock.wallMs();
  return forgiving(
    () => layout.messageOf(packet, wallMs),
    () => propertiesLayout.messageOf(packet, wallMs),
    options,
  );
}
