/** An error in one line, as histories keep it. */
export function errorLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

/** One line for people and for grouping, then the stack. */
export function withStack(why: string, error: unknown): string {
  const first = `${why}: ${errorLine(error)}`;
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return [first, ...frames].join('\n');
}
