/** Where a command writes; a line without its end at a time. */
export interface Output {
  /** The answer. */
  out(line: string): void;
  /** What went wrong, and what the user should know. */
  err(line: string): void;
}

/** What every command is given. */
export interface CommandContext {
  readonly output: Output;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}
