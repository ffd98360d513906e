/** Whatever was thrown, and wherever: of an error of another realm (a `vm`, a test's) `instanceof` knows nothing. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly stack?: unknown;
}

/** Characters of an error's text that are kept; whole answers of servers end up in them. */
const LONGEST_TEXT = 10_000;
/** As many as fit a screen; `Error.stackTraceLimit` may be anything. */
const MOST_FRAMES = 50;

/** An error in one line, as histories keep it; 10,000 characters at the most. Never throws, whatever was thrown. */
export function errorLine(error: unknown): string {
  const whole = textOf(error);
  const cut = whole.length > LONGEST_TEXT;
  // Half a surrogate pair is what PostgreSQL does not keep.
  const text = cut ? `${whole.slice(0, LONGEST_TEXT).toWellFormed()}…` : whole;
  // Not by a pattern: one that looks for blanks around a break takes long over a text full of blanks.
  if (!text.includes('\n')) return text;
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

/** One line for people and for grouping, then the stack. */
export function withStack(why: string, error: unknown): string {
  const stack = partOf(error, 'stack') ?? '';
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return [`${why}: ${errorLine(error)}`, ...frames.slice(0, MOST_FRAMES)].join('\n');
}

function textOf(error: unknown): string {
  const message = partOf(error, 'message');
  const name = partOf(error, 'name');
  if (message !== undefined) return name === undefined ? message : `${name}: ${message}`;
  try {
    // `toJSON` may say nothing.
    const told =
      typeof error === 'object' && error !== null ? JSON.stringify(error) : String(error);
    if (told !== undefined) return told;
  } catch {
    // It throws while it is told.
  }
  return `something that cannot be told in words (${typeof error})`;
}

/** A getter may throw, and a name may be anything: then it has none. */
function partOf(error: unknown, part: keyof Thrown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    const found = (error as Thrown)[part];
    return typeof found === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}
