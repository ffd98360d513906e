/** What a member says of itself when a group is shared out anew. */
export interface Held {
  readonly generation: number;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

/** As Java's clients and Go's write it: topics with their partitions, then the generation in which it had them. */
export function stickyMetadata(
  assignments: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  generation: number,
): Buffer {
  const topics = assignments.map(({ partitions, topic }) => {
    const name = Buffer.from(topic);
    const bytes = Buffer.alloc(2 + name.length + 4 + 4 * partitions.length);
    bytes.writeInt16BE(name.length);
    name.copy(bytes, 2);
    bytes.writeInt32BE(partitions.length, 2 + name.length);
    for (const [at, partition] of partitions.entries()) {
      bytes.writeInt32BE(partition, 6 + name.length + 4 * at);
    }
    return bytes;
  });
  return Buffer.concat([int32(assignments.length), ...topics, int32(generation)]);
}

/** A member that says nothing, or what cannot be read, held nothing. */
export function readStickyMetadata(bytes: Buffer | string | null | undefined): Held {
  try {
    return Buffer.isBuffer(bytes) && bytes.length > 0 ? read(bytes) : NOTHING;
  } catch {
    return NOTHING;
  }
}

const NOTHING: Held = { generation: -1, partitions: [] };

function read(bytes: Buffer): Held {
  let at = 0;
  const next = () => {
    at += 4;
    return bytes.readInt32BE(at - 4);
  };
  const partitions: { topic: string; partition: number }[] = [];
  for (let topics = next(); topics > 0; topics -= 1) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    for (let count = next(); count > 0; count -= 1) partitions.push({ topic, partition: next() });
  }
  // The first version had no generation.
  return { generation: at < bytes.length ? next() : -1, partitions };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
