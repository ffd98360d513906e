import type { Command } from 'commander';
import { FlagError } from './flag.ts';

/** A reason of a dead letter is whatever its broker said, and may be nothing. */
const MAY_BE_EMPTY: readonly string[] = ['reason'];

/**
 * Refuses `--dir ""` and `check ""`: mostly a variable of a script that nobody has set, where it
 * would mean the folder one is in. What `run` is given is its app's to understand.
 */
export function refuseEmpty(command: Command): void {
  if (command.name() === 'run') return;
  for (const [name, value] of Object.entries(command.opts())) {
    if (![value].flat().includes('') || MAY_BE_EMPTY.includes(name)) continue;
    const { long } = command.options.find((option) => option.attributeName() === name)!;
    throw new FlagError(`${long} is empty; give it a value, or leave it out.`);
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    const given = [command.processedArgs[index]].flat();
    if (given.includes('')) {
      throw new FlagError(
        `An argument of \`${nameOf(command)}\` (${argument.name()}) is empty; leave it out, or name what is meant.`,
      );
    }
  }
}

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
