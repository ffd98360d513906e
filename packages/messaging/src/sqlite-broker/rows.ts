import type { Message } from '../message.ts';
import { readHeaders } from '../read-headers.ts';

/** A message of one group's list, with how often it was handed over before. */
export interface DeliveryRow {
  readonly seq: number;
  readonly deliveries: number;
  readonly id: string;
  readonly topic: string;
  readonly key: string | null;
  readonly headers: string;
  readonly body: Uint8Array;
}

export function messageOf({ body, headers, id, key, seq, topic }: DeliveryRow): Message {
  return {
    id: id || `${topic}/${seq}`,
    topic,
    key: key ?? undefined,
    headers: readHeaders(headers),
    body,
  };
}
