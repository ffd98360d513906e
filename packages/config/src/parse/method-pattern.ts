/** Which calls of an app an entry of `methods` is for. */
export interface MethodPattern {
  /** In upper case; undefined is any. */
  readonly verb: string | undefined;
  /** Of the path, without slashes; `*` is any one, a last `**` any number, also none. */
  readonly segments: readonly string[];
}

/** Longest pattern; a path of more is none that anybody wrote. */
const MOST_SEGMENTS = 32;

/** Reads `GET /orders/*`, `/orders`, `orders`; says what is wrong where it is none. */
export function parseMethod(text: string): MethodPattern | { readonly fault: string } {
  const [first = '', second, ...more] = text.trim().split(/\s+/);
  if (more.length > 0) return { fault: 'has more than a verb and a path' };
  const verb = second === undefined ? undefined : first;
  const path = second ?? first;
  if (verb !== undefined && !/^[A-Za-z]{1,20}$/.test(verb)) {
    return { fault: `begins with "${verb}", which is no verb` };
  }
  if (/[?#]/.test(path)) return { fault: 'has a query or a fragment; methods are told by path' };
  const segments = segmentsOf(path);
  if (segments.length > MOST_SEGMENTS) return { fault: `has over ${MOST_SEGMENTS} segments` };
  const rest = segments.indexOf('**');
  if (rest >= 0 && rest < segments.length - 1) return { fault: 'has ** elsewhere than at its end' };
  return { verb: verb?.toUpperCase(), segments };
}

/** Whether a call is meant; `path` without query, a slash before it or not. */
export function methodMatches(pattern: MethodPattern, verb: string, path: string): boolean {
  if (pattern.verb !== undefined && pattern.verb !== verb) return false;
  const { segments } = pattern;
  const given = segmentsOf(path);
  const open = segments.at(-1) === '**';
  const length = open ? segments.length - 1 : segments.length;
  if (open ? given.length < length : given.length !== length) return false;
  for (let at = 0; at < length; at += 1) {
    if (segments[at] !== '*' && segments[at] !== given[at]) return false;
  }
  return true;
}

/** The more exact one first: a word before `*` before `**`, from the left; then the one with a verb. */
export function byExactness(one: MethodPattern, other: MethodPattern): number {
  const rank = ({ segments, verb }: MethodPattern) =>
    `${segments.map((each) => (each === '**' ? 3 : each === '*' ? 2 : 1)).join('')}0${verb === undefined ? 1 : 0}`;
  const [a, b] = [rank(one), rank(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

const segmentsOf = (path: string): string[] => path.split('/').filter((each) => each !== '');
