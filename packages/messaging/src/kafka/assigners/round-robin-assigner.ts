import type { KafkaAssigner } from '../module.ts';

type Share = Map<string, { topic: string; partitions: number[] }>;

/** Kafka's `roundrobin`: the partitions of all topics, dealt out one by one to who reads them. */
export const roundRobinAssigner: KafkaAssigner = (_leader, members, _topics, { topics }) => {
  const ids = [...members.keys()].toSorted();
  const shares = new Map<string, Share>(ids.map((id) => [id, new Map()]));
  let turn = 0;
  for (const topic of [...topics.keys()].toSorted()) {
    const reads = (id: string) => members.get(id)?.topics?.includes(topic) === true;
    if (!ids.some(reads)) continue;
    const { partitionsCount } = topics.get(topic)!;
    for (let partition = 0; partition < partitionsCount; partition += 1) {
      while (!reads(ids[turn % ids.length]!)) turn += 1;
      give(shares.get(ids[turn % ids.length]!)!, topic, partition);
      turn += 1;
    }
  }
  return ids.map((memberId) => ({ memberId, assignments: shares.get(memberId)! }));
};

function give(share: Share, topic: string, partition: number): void {
  const of = share.get(topic) ?? { topic, partitions: [] };
  of.partitions.push(partition);
  share.set(topic, of);
}
