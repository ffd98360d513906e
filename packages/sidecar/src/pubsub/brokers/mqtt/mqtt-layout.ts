import { bodyLayout, type MqttLayout } from '@holdfast/messaging/mqtt';
import { goBoolean } from '../../../components/go-boolean.ts';

/**
 * Dapr's way with MQTT 3.1.1: the envelope is the body, and metadata stay
 * behind, but for `retain`, which is the broker's to know. What arrives says
 * whether it was `retained`.
 */
export function mqttLayout({ retain }: { readonly retain: boolean }): MqttLayout {
  return {
    extrasOf: ({ headers }) => ({ retain: truthOf(headers.retain) ?? retain }),
    messageOf: (packet, wallMs) => ({
      ...bodyLayout.messageOf(packet, wallMs),
      headers: { retained: String(packet.retain) },
    }),
  };
}

/** As Go reads a truth. */
function truthOf(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  const truth = goBoolean(text);
  if (truth === undefined) throw new Error(`mqtt invalid retain ${text}`);
  return truth;
}
