import { type AppendGroup, type StoreLimits, sizeOf } from '../store.ts';

export interface Room {
  readonly queued: number;
  readonly queuedBytes: number;
}

/**
 * Which groups fit, one after another, and what waits in front of each. A known id takes no room: a
 * client that tries again gets its answer even when the queue is full.
 */
export function fitGroups(
  groups: readonly AppendGroup[],
  known: ReadonlySet<string>,
  room: Room,
  limits: StoreLimits,
): readonly (Room & { readonly fits: boolean })[] {
  const seen = new Set(known);
  let { queued, queuedBytes } = room;
  return groups.map((group) => {
    const before = { queued, queuedBytes };
    const bytes = group.reduce((sum, message) => sum + sizeOf(message), 0);
    const tight =
      queued + group.length > limits.maxMessages || queuedBytes + bytes > limits.maxBytes;
    if (tight && group.some(({ id }) => !seen.has(id))) return { ...before, fits: false };
    for (const message of group) {
      if (seen.has(message.id)) continue;
      seen.add(message.id);
      queued += 1;
      queuedBytes += sizeOf(message);
    }
    return { ...before, fits: true };
  });
}
