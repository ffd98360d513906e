/** Codes from `first` to `last`, both included. */
export interface CodeRange {
  readonly first: number;
  readonly last: number;
}

/** The codes of a protocol, and what to call them in a message. */
export interface CodeSpace {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export const HTTP_CODES: CodeSpace = { name: 'HTTP', first: 100, last: 599 };
export const GRPC_CODES: CodeSpace = { name: 'gRPC', first: 0, last: 16 };

/**
 * Reads `"429,500-599"` with Dapr's grammar to the letter: empty items are
 * skipped, spaces are not (`"500, 503"` is an error there, so it is one here).
 * An empty text is as good as none; `","` is a list of nothing, which allows no code.
 */
export function parseStatusCodes(
  text: string,
  space: CodeSpace,
): { readonly ranges: readonly CodeRange[] | undefined } | { readonly fault: string } {
  if (text === '') return { ranges: undefined };
  const ranges: CodeRange[] = [];
  for (const item of text.split(',')) {
    if (item === '') continue;
    const ends = item.split('-');
    if (ends.length > 2) return { fault: `"${item}" has more than one dash` };
    const codes: number[] = [];
    for (const end of ends) {
      if (/\s/.test(end)) return { fault: `"${item}" has a space, which Dapr does not skip` };
      if (!/^[+]?[0-9]{1,9}$/.test(end)) return { fault: `"${item}" is not a code or first-last` };
      const code = Number(end);
      if (code < space.first || code > space.last) {
        return {
          fault: `${code} is no ${space.name} status, which is ${space.first} to ${space.last}`,
        };
      }
      codes.push(code);
    }
    const [first, last = first] = codes as [number, number?];
    if (last < first) return { fault: `"${item}" ends before it begins` };
    ranges.push({ first, last });
  }
  return { ranges };
}

/** Whether a failure with this status may be retried: any, where its protocol has no list. */
export function statusMatcher(
  http: readonly CodeRange[] | undefined,
  grpc: readonly CodeRange[] | undefined,
): (code: number) => boolean {
  const allows = (ranges: readonly CodeRange[] | undefined, code: number) =>
    ranges === undefined || ranges.some(({ first, last }) => first <= code && code <= last);
  const within = (space: CodeSpace, code: number) => space.first <= code && code <= space.last;
  return (code) => {
    if (within(GRPC_CODES, code)) return allows(grpc, code);
    if (within(HTTP_CODES, code)) return allows(http, code);
    return false;
  };
}
