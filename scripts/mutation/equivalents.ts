/** A mutant that no test can tell from the original: read by somebody, with the reason. */
export interface Equivalent {
  readonly file: string;
  /** The line of source, without its indentation. */
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [];
