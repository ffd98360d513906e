const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go holds a duration in 64 bits of nanoseconds: about 292 years. */
const LONGEST_NS = 2 ** 63;

const TERM = /([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/y;

export type ParsedDuration = { readonly ms: number } | { readonly fault: string };

/**
 * Reads a duration as Dapr does: a bare whole number is milliseconds, anything
 * else is Go's grammar (`1m30s`, `1.5h`, `-5s`, `250us`).
 */
export function parseDuration(text: string): ParsedDuration {
  if (/^[+-]?[0-9]+$/.test(text)) {
    const ms = Number(text);
    return Math.abs(ms) * 1e6 < LONGEST_NS ? { ms } : { fault: 'is longer than 292 years' };
  }
  if (text.trim() !== text) return { fault: 'has spaces around it' };

  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '') return { fault: 'is empty' };

  let totalNs = 0;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < body.length) {
    const term = TERM.exec(body);
    // The pattern matches everywhere, the empty text included: only its parts can be missing.
    const [all, whole = '', fraction, unit = ''] = term ?? [''];
    if (all === '' || (whole === '' && !fraction)) return { fault: 'has a unit without a number' };
    if (unit === '') return { fault: 'has a number without a unit' };
    const unitNs = Object.hasOwn(NANOSECONDS, unit) ? NANOSECONDS[unit] : undefined;
    if (unitNs === undefined) return { fault: `has the unit "${unit}", which is not one` };
    totalNs += Math.floor(Number(`${whole || '0'}.${fraction || '0'}`) * unitNs);
    if (totalNs >= LONGEST_NS) return { fault: 'is longer than 292 years' };
  }
  return { ms: totalNs === 0 ? 0 : (sign * totalNs) / 1e6 };
}

const LONG_UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
];

/** What a text that is no duration was probably meant to be: `5 sec` is `5s`, `2d` is `48h`. */
export function suggestDuration(text: string): string | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)([a-z]*)$/.exec(text.toLowerCase().replaceAll(/\s/g, ''));
  if (match === null) return undefined;
  const [, number = '', unit = ''] = match;
  // A fraction alone is most likely seconds; a whole number alone is a duration already.
  const short = unit === '' ? 's' : LONG_UNITS.find(([long]) => long.test(unit))?.[1];
  const meant = /^d(ays?)?$/.test(unit) ? `${Number(number) * 24}h` : `${number}${short ?? unit}`;
  return meant !== text && 'ms' in parseDuration(meant) ? meant : undefined;
}
