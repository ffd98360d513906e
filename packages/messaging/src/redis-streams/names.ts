/** The stream of a topic. What is in braces decides where a cluster keeps it, and what belongs to it. */
export function streamOf(topic: string, keyPrefix: string): string {
  return `${keyPrefix}{${topic}}`;
}

/** Says who of a group is at work: one member by its token, or any (`SHARED`). It lapses. */
export function holderOf(topic: string, group: string, keyPrefix: string): string {
  return `${streamOf(topic, keyPrefix)}:${group}:holder`;
}

/** What the holder's key says where members work side by side. */
export const SHARED = 'shared';

/** The one consumer of a group whose members take turns: what one leaves is its successor's. */
export const TURNS = 'in-turn';

/** Why a topic cannot have a stream; undefined if it can. */
export function topicProblem(topic: string): string | undefined {
  const bytes = Buffer.byteLength(topic);
  if (bytes > 0 && bytes <= 1_000) return undefined;
  return `the topic has ${bytes} bytes, and we allow 1 to 1000`;
}
