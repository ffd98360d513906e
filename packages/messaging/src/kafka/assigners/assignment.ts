import type { KafkaAssigner, KafkaConsumer } from '../module.ts';
import { rangeAssigner } from './range-assigner.ts';
import { roundRobinAssigner } from './round-robin-assigner.ts';
import { stickyAssigner } from './sticky-assigner.ts';
import { stickyMetadata } from './sticky-metadata.ts';

/** How a group shares partitions; named as Java's clients and Go's do, which may be its members. */
export type KafkaAssignment = keyof typeof ASSIGNMENTS;

interface Assignment {
  /** Of the protocol, as its first inventors count. */
  readonly version: number;
  readonly assigner: KafkaAssigner;
  /** What a member says of itself before it joins (again). */
  readonly metadata: (consumer: Pick<KafkaConsumer, 'assignments' | 'generationId'>) => Buffer;
}

const nothing = () => Buffer.alloc(0);

export const ASSIGNMENTS = {
  range: { version: 1, assigner: rangeAssigner, metadata: nothing },
  roundrobin: { version: 1, assigner: roundRobinAssigner, metadata: nothing },
  sticky: {
    version: 1,
    assigner: stickyAssigner,
    metadata: ({ assignments, generationId }) => stickyMetadata(assignments ?? [], generationId),
  },
} as const satisfies Readonly<Record<string, Assignment>>;
