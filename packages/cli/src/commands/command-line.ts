import type { Command } from 'commander';
import type { CommandContext } from './output.ts';

/** What commands are added to. Each loads its own code: `ps` must not wait for what `check` needs. */
export interface CommandLine {
  readonly program: Command;
  /** Hears the status that a command ended with. */
  readonly done: (status: number) => void;
  readonly context: CommandContext;
}
