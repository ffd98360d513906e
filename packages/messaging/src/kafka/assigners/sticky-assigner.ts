import type { KafkaAssigner } from '../module.ts';
import { readStickyMetadata } from './sticky-metadata.ts';

interface Part {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Kafka's `sticky`: who had a partition keeps it, as long as no other reader has two fewer; what
 * is left goes to those who have least. Members say what they had in their metadata.
 */
export const stickyAssigner: KafkaAssigner = (_leader, members, _topics, { topics }) => {
  const ids = [...members.keys()].toSorted();
  const reads = (id: string, topic: string) => members.get(id)?.topics?.includes(topic) === true;
  const shares = new Map<string, Part[]>(ids.map((id) => [id, []]));
  const size = (id: string) => shares.get(id)!.length;
  const least = (topic: string) =>
    ids
      .filter((id) => reads(id, topic))
      .reduce<string | undefined>(
        (best, id) => (best === undefined || size(id) < size(best) ? id : best),
        undefined,
      );

  const owners = ownersOf(members);
  for (const topic of [...topics.keys()].toSorted()) {
    const { partitionsCount } = topics.get(topic)!;
    for (let partition = 0; partition < partitionsCount; partition += 1) {
      const owner = owners.get(keyOf({ topic, partition }));
      if (owner !== undefined && reads(owner, topic)) shares.get(owner)!.push({ topic, partition });
    }
  }
  for (const topic of [...topics.keys()].toSorted()) {
    const { partitionsCount } = topics.get(topic)!;
    for (let partition = 0; partition < partitionsCount; partition += 1) {
      const owner = owners.get(keyOf({ topic, partition }));
      if (owner !== undefined && reads(owner, topic)) continue;
      const to = least(topic);
      if (to !== undefined) shares.get(to)!.push({ topic, partition });
    }
  }
  // Each move makes the shares more alike, so that this ends.
  for (let moved = true; moved; ) {
    moved = false;
    for (const id of ids.toSorted((a, b) => size(b) - size(a))) {
      const share = shares.get(id)!;
      const isUneven = (topic: string) => size(least(topic)!) + 1 < share.length;
      const topic = [...new Set(share.map((part) => part.topic))].find(isUneven);
      if (topic === undefined) continue;
      const at = share.findLastIndex((part) => part.topic === topic);
      const [part] = share.splice(at, 1);
      shares.get(least(part!.topic)!)!.push(part!);
      moved = true;
      break;
    }
  }
  return ids.map((memberId) => ({ memberId, assignments: byTopic(shares.get(memberId)!) }));
};

/** Of two who say that they had one, the later one. */
function ownersOf(members: Parameters<KafkaAssigner>[1]): ReadonlyMap<string, string> {
  const owners = new Map<string, { readonly id: string; readonly generation: number }>();
  for (const id of [...members.keys()].toSorted()) {
    const { generation, partitions } = readStickyMetadata(members.get(id)?.metadata);
    for (const part of partitions) {
      const before = owners.get(keyOf(part));
      if (before === undefined || before.generation < generation) {
        owners.set(keyOf(part), { id, generation });
      }
    }
  }
  return new Map([...owners].map(([key, { id }]) => [key, id]));
}

const keyOf = ({ partition, topic }: Part): string => `${topic}/${partition}`;

function byTopic(parts: readonly Part[]): Map<string, { topic: string; partitions: number[] }> {
  const topics = new Map<string, { topic: string; partitions: number[] }>();
  for (const { partition, topic } of parts) {
    const of = topics.get(topic) ?? { topic, partitions: [] };
    of.partitions.push(partition);
    topics.set(topic, of);
  }
  return topics;
}
