import { type Command, Option } from 'commander';
import { FlagError } from '../flags/flag.ts';
import type { CommandLine } from './command-line.ts';

/** The commands that act on a run that is up. */
export function addRunCommands({ program, done, context }: CommandLine): void {
  const load = () => import('./run-commands.ts');
  const choice = (command: Command) =>
    command
      .option('-f, --file <file>', 'the run file of the run that is meant')
      .option('--run <name>', 'its name (default: the only run, or the one of this folder)');

  choice(program.command('ps').description('list the processes of a run'))
    .option('--json', 'print JSON')
    .allowExcessArguments()
    .action(async (options, { args: [name] }) => {
      if (name !== undefined) {
        throw new FlagError(`\`holdfast ps\` lists a whole run, named by --run ${name}.`);
      }
      done(await (await load()).ps(options, context));
    });

  choice(
    program.command('kill').description('send a signal to one process of a run, and to it alone'),
  )
    .argument('<name>', 'as `holdfast ps` lists it')
    .addOption(new Option('-s, --signal <signal>', 'the signal').default('SIGKILL'))
    .action(async (name: string, options) =>
      done(await (await load()).kill(name, options, context)),
    );

  choice(program.command('start').description('start a process of a run that is down'))
    .argument('<name>', 'as `holdfast ps` lists it')
    .action(async (name: string, options) =>
      done(await (await load()).start(name, options, context)),
    );

  choice(program.command('stop').description('end a run and all its processes'))
    .option('--force', 'kill them at once')
    .allowExcessArguments()
    .action(async (options, { args: [name] }) => {
      if (name !== undefined) {
        throw new FlagError(
          `\`holdfast stop\` ends a whole run, named by --run; one process of it is ended by \`holdfast kill ${name}\`.`,
        );
      }
      done(await (await load()).stop(options, context));
    });
}
