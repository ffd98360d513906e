import type { KafkaConsumer } from './module.ts';

/** Kafka's word for the first record that it still has. */
const EARLIEST = -2n;

/**
 * Notes the end of those of a member's partitions where the group has never been.
 * Noted, the place stays: a rebalance or a restart before the
 * first record is handled would else begin behind what came meanwhile. Of partitions from `added` on it is
 * their beginning: they are younger than the group.
 */
export async function beginAtEnd(
  consumer: KafkaConsumer,
  topic: string,
  added: number,
): Promise<void> {
  const mine = consumer.assignments?.find((each) => each.topic === topic)?.partitions ?? [];
  if (mine.length === 0) return;
  const partitions = [...mine];
  const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions }] });
  const ends = await consumer.listOffsets({ topics: [topic], partitions: { [topic]: partitions } });
  const young = partitions.filter((partition) => partition >= added);
  const starts =
    young.length === 0
      ? undefined
      : await consumer.listOffsets({
          ...{ topics: [topic], partitions: { [topic]: young }, timestamp: EARLIEST },
        });
  const offsets = partitions.flatMap((partition) => {
    const known = committed.get(topic)?.[partition] ?? -1n;
    const offset = (partition >= added ? starts : ends)?.get(topic)?.[partition];
    return known >= 0n || offset === undefined
      ? []
      : [{ topic, partition, offset, leaderEpoch: -1 }];
  });
  if (offsets.length > 0) await consumer.commit({ offsets });
}
