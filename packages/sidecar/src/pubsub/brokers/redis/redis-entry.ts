import { texts } from '../../../resources/resource-files.ts';
import type { PubSubMessage } from '../../pubsub.ts';

/** An entry of a stream: its id, and its fields as name, value, name, value. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

export interface Entry {
  readonly id: string;
  readonly message: PubSubMessage;
}

/** The fields of an entry, as Dapr writes them. */
export function fieldsOf({ data, metadata }: PubSubMessage): readonly (string | Buffer)[] {
  return ['data', data, 'metadata', JSON.stringify(metadata)];
}

/** Those that are still there: a stream that is kept short may have lost what a group was handed. */
export function entriesOf(raw: readonly (RawEntry | null)[]): readonly Entry[] {
  return raw.flatMap((entry) => {
    const fields = entry?.[1];
    if (!entry || !fields) return [];
    return [{ id: entry[0].toString(), message: messageOf(fields) }];
  });
}

function messageOf(fields: readonly Buffer[]): PubSubMessage {
  let data: Buffer = Buffer.alloc(0);
  let metadata: PubSubMessage['metadata'] = {};
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const value = fields[at + 1]!;
    const name = fields[at]!.toString();
    if (name === 'data') data = value;
    else if (name === 'metadata') metadata = metadataOf(value);
  }
  return { data, metadata };
}

function metadataOf(value: Buffer): PubSubMessage['metadata'] {
  try {
    return texts(JSON.parse(value.toString('utf8')));
  } catch {
    // As in Dapr: an event with metadata that nobody can read is an event all the same.
    return {};
  }
}
