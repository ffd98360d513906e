import type { KafkaAssigner } from '../module.ts';

/**
 * Kafka's `range`, which Java's clients and Go's speak too: of each topic, every
 * member that reads it has neighbouring partitions, those with the lower ids one
 * more where they do not divide. (The client's own assigner knows the topics of
 * the group's leader alone.)
 */
export const rangeAssigner: KafkaAssigner = (_leader, members, _topics, { topics }) => {
  const ids = [...members.keys()].toSorted();
  const assigned = ids.map((memberId) => ({
    memberId,
    assignments: new Map<string, { topic: string; partitions: number[] }>(),
  }));
  for (const [topic, { partitionsCount }] of topics) {
    const readers = assigned.filter(({ memberId }) =>
      members.get(memberId)?.topics?.includes(topic),
    );
    let next = 0;
    for (const [at, { assignments }] of readers.entries()) {
      const share = Math.floor(partitionsCount / readers.length);
      const count = share + (at < partitionsCount % readers.length ? 1 : 0);
      if (count === 0) continue;
      assignments.set(topic, {
        topic,
        partitions: Array.from({ length: count }, (_, n) => next + n),
      });
      next += count;
    }
  }
  return assigned;
};
