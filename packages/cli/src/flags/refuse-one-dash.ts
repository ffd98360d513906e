import type { Command } from 'commander';
import { FlagError } from './flag.ts';

/**
 * Refuses `explain -app stock`, which would be `-a pp` and a file called stock. holdfastd takes one dash for two, as
 * daprd does, and hands are used to it. What `run` is given it reads by itself.
 */
export function refuseOneDash(program: Command, args: readonly string[]): void {
  let command = program;
  for (const word of args) {
    if (word === '--' || command.name() === 'run') return;
    const next = command.commands.find((each) => each.name() === word);
    if (next !== undefined) {
      command = next;
      continue;
    }
    const name = /^-([a-z][a-z-]+)(?:=|$)/.exec(word)?.[1];
    if (name !== undefined && command.options.some(({ long }) => long === `--${name}`)) {
      throw new FlagError(`-${name} has one dash; write --${name}.`);
    }
  }
}
