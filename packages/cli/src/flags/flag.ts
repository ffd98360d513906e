/** What the value of a flag must look like. */
export type FlagType =
  | 'text'
  | 'texts'
  | 'list'
  | 'integer'
  | 'port'
  | 'boolean'
  | 'bytes'
  | 'duration'
  | 'choice';

/** One row of a table of flags: all that parsing, help and the reference need. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter, for `-a`. */
  readonly letter?: string;
  readonly type: FlagType;
  /** As it is written on a command line; absent where there is none. */
  readonly default?: string;
  /** What it does, in words that end without a full stop. */
  readonly meaning: string;
  /** What the value stands for in help: `PATH`, `PORT`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** Why it has no effect here. It is accepted, and this is said. */
  readonly ignored?: string;
  /** The flag that took its place. */
  readonly deprecated?: string;
  /** Not one of Dapr's. */
  readonly ours?: boolean;
}

/** What was read, by flag name: texts, numbers, booleans, and arrays for flags given more than once. */
export type FlagValue = string | number | boolean | readonly string[];

export interface ParsedFlags {
  readonly values: ReadonlyMap<string, FlagValue>;
  /** What is no flag: after `--`, or from the first word that is none. */
  readonly rest: readonly string[];
  /** Sentences about flags without effect, in the order they were given. */
  readonly notes: readonly string[];
}

/** A command line that cannot be meant. The message is one sentence with the flag and the remedy. */
export class FlagError extends Error {
  readonly code = 'BAD_FLAG';

  constructor(message: string) {
    super(message);
    this.name = 'FlagError';
  }
}
