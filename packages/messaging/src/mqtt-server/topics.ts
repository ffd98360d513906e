/** Whether a topic matches a filter: `+` is one level, `#` the rest. `$…` topics match no wildcard. */
export function matches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!filter.includes('+') && !filter.includes('#')) return false;
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let index = 0; index < wanted.length; index += 1) {
    const want = wanted[index];
    if (want === '#') return true;
    if (index >= levels.length) return false;
    if (want !== '+' && want !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}

/** Why a topic cannot be published to; undefined if it can. */
export function topicProblem(topic: string): string | undefined {
  if (topic === '') return 'the topic is empty';
  if (Buffer.byteLength(topic) > 65_535) return 'the topic is longer than 65535 bytes';
  if (/[+#\0]/.test(topic)) return 'the topic contains +, # or a null character';
  if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker';
  return undefined;
}

/** Whether a filter is well-formed: `#` only as the last level, `+` only as a whole one. */
export function isFilter(filter: string): boolean {
  const levels = filter.split('/');
  return (
    filter !== '' &&
    !filter.startsWith('$share/') &&
    levels.every((level, index) => {
      if (level === '#') return index === levels.length - 1;
      return level === '+' || !/[+#\0]/.test(level);
    })
  );
}
