/** A family as a scrape shows it; samples by their text up to the value. */
export interface ParsedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: Readonly<Record<string, number>>;
}

/**
 * Reads Prometheus' text format 0.0.4 more strictly than Prometheus does, and
 * throws with the number of the line that breaks a rule: HELP then TYPE then
 * samples, each family once and in one piece, no sample twice, label names
 * in alphabetical order with `le` last, label values escaped,
 * buckets that rise to +Inf, which is the count.
 */
export function parseExposition(text: string): Record<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('The text must end with a line break.');
  const families: Record<string, { help: string; type: string; samples: Record<string, number> }> =
    {};
  let name = '';
  const lines = text.slice(0, -1).split('\n');
  for (const [i, line] of lines.entries()) {
    const fail = (rule: string) => new Error(`line ${i + 1}: ${rule}: ${line}`);
    const help = /^# HELP ([a-zA-Z_:][\w:]*) ((?:[^\\]|\\\\|\\n)*)$/.exec(line);
    if (help !== null) {
      if (families[help[1]!] !== undefined) throw fail('a family comes once');
      name = help[1]!;
      families[name] = { help: help[2]!, type: '', samples: {} };
      continue;
    }
    const family = families[name];
    if (family === undefined) throw fail('HELP comes first');
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      if (type[1] !== name || family.type !== '') throw fail('TYPE follows its HELP');
      family.type = type[2]!;
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
    if (sample === null || family.type === '') throw fail('a sample, after its TYPE');
    const suffix = sample[1]!.slice(name.length);
    const fits = family.type === 'histogram' ? /^_(bucket|sum|count)$/.test(suffix) : suffix === '';
    if (!sample[1]!.startsWith(name) || !fits) throw fail(`a sample of ${name}`);
    checkLabels(sample[2], fail);
    const key = `${sample[1]}${sample[2] ?? ''}`;
    if (family.samples[key] !== undefined) throw fail('a sample comes once');
    family.samples[key] = numberOf(sample[3]!, fail);
  }
  for (const [each, family] of Object.entries(families)) {
    if (family.type === 'histogram') checkHistogram(each, family.samples);
  }
  return families;
}

type Fail = (rule: string) => Error;

function checkLabels(text: string | undefined, fail: Fail): void {
  if (text === undefined) return;
  const pair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;
  const inner = text.slice(1, -1);
  const names: string[] = [];
  while (pair.lastIndex < inner.length) {
    const match = pair.exec(inner);
    if (match === null) throw fail('labels are name="value", escaped');
    names.push(match[1]!);
  }
  const plain = names.filter((label) => label !== 'le');
  const ordered = [...plain].sort();
  if (names.includes('le')) ordered.push('le');
  if (names.join() !== ordered.join() || new Set(names).size !== names.length) {
    throw fail('label names come once, in alphabetical order, le last');
  }
}

function numberOf(text: string, fail: Fail): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text)) throw fail('a value is a number');
  return Number(text);
}

function checkHistogram(name: string, samples: Readonly<Record<string, number>>): void {
  const lastOf = new Map<string, { bound: number; count: number }>();
  for (const [key, count] of Object.entries(samples)) {
    const bucket = /_bucket\{(.*?),?le="([^"]+)"\}$/.exec(key);
    if (bucket === null) continue;
    const bound = bucket[2] === '+Inf' ? Number.POSITIVE_INFINITY : Number(bucket[2]);
    const last = lastOf.get(bucket[1]!);
    if (last !== undefined && (bound <= last.bound || count < last.count)) {
      throw new Error(`${key}: buckets rise, and so do their counts`);
    }
    lastOf.set(bucket[1]!, { bound, count });
  }
  for (const [labels, { bound, count }] of lastOf) {
    const suffix = labels === '' ? '' : `{${labels}}`;
    const whole = bound === Number.POSITIVE_INFINITY && samples[`${name}_count${suffix}`] === count;
    if (!whole || samples[`${name}_sum${suffix}`] === undefined) {
      throw new Error(`${name}${suffix}: the bucket +Inf is the count, and there is a sum`);
    }
  }
}
