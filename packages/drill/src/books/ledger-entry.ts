/**
 * One line of the client's ledger. A request is `attempted` before it is sent
 * and gets at most one more line; an attempt without one is unknown, which is
 * what a crash of the client leaves behind too.
 */
export type LedgerEntry = {
  /** The client's own name for this request, unique in the file. */
  readonly attempt: string;
  /** The drill that sent it. */
  readonly drill: string;
} & (
  | { readonly kind: 'attempted' }
  /** The service said yes; `id` is what it named the work. */
  | { readonly kind: 'accepted'; readonly id: string }
  /** The service certainly did not take it. */
  | { readonly kind: 'refused'; readonly why: string }
);

/** What the ledger says of one drill, or of several. */
export interface LedgerSums {
  readonly accepted: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly unknown: ReadonlySet<string>;
}

/** An entry as its line in the file, line end included. */
export function formatEntry(entry: LedgerEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/**
 * Reads a ledger file. A last line without its line end was cut off by a crash
 * before it was acknowledged, so it counts as not written. Any other line that
 * cannot be read throws: a damaged ledger proves nothing.
 */
export function parseLedger(text: string): readonly LedgerEntry[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line, index) => {
    const entry = readEntry(line);
    if (entry === undefined) {
      throw new Error(`Line ${index + 1} of the ledger is damaged: ${line.slice(0, 80)}`);
    }
    return entry;
  });
}

/** Sums entries up; `accepted` holds the service's ids, `refused` and `unknown` the client's. */
export function sumLedger(entries: Iterable<LedgerEntry>): LedgerSums {
  const accepted = new Set<string>();
  const refused = new Set<string>();
  const unknown = new Set<string>();
  for (const entry of entries) {
    switch (entry.kind) {
      case 'attempted':
        unknown.add(entry.attempt);
        break;
      case 'accepted':
        unknown.delete(entry.attempt);
        accepted.add(entry.id);
        break;
      case 'refused':
        unknown.delete(entry.attempt);
        refused.add(entry.attempt);
        break;
    }
  }
  return { accepted, refused, unknown };
}

function readEntry(line: string): LedgerEntry | undefined {
  try {
    const entry = JSON.parse(line) as LedgerEntry;
    return typeof entry.attempt === 'string' && typeof entry.kind === 'string' ? entry : undefined;
  } catch {
    // Not JSON: the caller says which line it was.
    return undefined;
  }
}
