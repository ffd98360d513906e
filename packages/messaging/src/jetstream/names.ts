/** The subject of a topic. */
export function subjectOf(topic: string, prefix: string): string {
  return `${prefix}${topic}`;
}

/** Why NATS would refuse the topic as a subject; undefined if it takes it. */
export function topicProblem(topic: string, prefix: string): string | undefined {
  const bytes = Buffer.byteLength(prefix + topic);
  if (topic === '' || bytes > 1_000)
    return `its subject has ${bytes} bytes, and we allow 1 to 1000`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\s\u0000-\u001f\u007f]/.test(topic)) return 'a subject of NATS has no spaces';
  if (topic.split('.').some((token) => token === '')) {
    return 'a subject of NATS has something before, between and after its dots';
  }
  if (/(?:^|\.)[*>](?:\.|$)/.test(topic)) return '* and > stand for other subjects in NATS';
  return undefined;
}

/** Why a stream or consumer cannot have this name; undefined if it can. */
export function nameProblem(name: string): string | undefined {
  if (name !== '' && name.length <= 200 && !/[\s.*>/\\]/.test(name)) return undefined;
  return 'NATS allows 1 to 200 characters, none of them a space, dot, star, angle or slash';
}

/**
 * The durable consumer of a group for a topic. What NATS does not allow in a name is written as in
 * a URL, and so is what stands between the two, so that no two pairs have one name.
 */
export function consumerName(group: string, topic: string): string {
  const part = (text: string) =>
    text.replace(
      /[\s.*>/\\%@]/g,
      (each) => `%${each.codePointAt(0)!.toString(16).padStart(2, '0')}`,
    );
  return `${part(group)}@${part(topic)}`;
}
