import type { AppendMessage, MessageStore } from '../../store.ts';

const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };

/** A message of the topic `events`, but for what is said of it. */
export function message(id: string, more: Partial<AppendMessage> = {}): AppendMessage {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {}, ...more };
}

export async function append(
  store: MessageStore,
  messages: readonly AppendMessage[],
): Promise<void> {
  await store.append([messages], ROOMY);
}

/** Leases up to ten for a second; the ids, in order. */
export async function leasedIds(store: MessageStore, topics?: readonly string[]) {
  return (await store.lease(10, 1_000, topics)).map((lease) => lease.message.id);
}
