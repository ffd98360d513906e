import { type Command, Option } from 'commander';
import { FlagError } from '../flags/flag.ts';
import type { CommandLine } from './command-line.ts';
import { listOf } from './list-of.ts';

/** The commands that act on a run that is up. */
export function addRunCommands({ program, done, context }: CommandLine): void {
  const load = () => import('./run-commands.ts');
  const choice = (command: Command) =>
    command
      .option('-f, --file <file>', 'the run file of the run that is meant')
      .option('--run <name>', 'its name (default: the only run, or the one of this folder)');

  choice(program.command('ps').description('list the processes of a run'))
    .option('--json', 'print JSON')
    .addOption(
      new Option('-o, --output <form>', 'json is as --json').choices(['table', 'json']).hideHelp(),
    )
    .allowExcessArguments()
    .action(async ({ output, ...options }, { args: [name] }) => {
      if (name !== undefined) {
        throw new FlagError(
          `\`holdfast ps\` lists a whole run, named by --run ${name}; \`holdfast list\` those of all.`,
        );
      }
      const json = options.json === true || output === 'json';
      done(await (await load()).ps({ ...options, json }, context));
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

  program
    .command('list')
    .alias('ls')
    .description('list the apps of all your runs on this machine, as `dapr list` does')
    .option('-o, --output <form>', 'table, json or yaml', 'table')
    .action(async (options: { output: string }) => {
      const { list } = await import('./list.ts');
      done(await list(options, context));
    });

  choice(program.command('stop').description('end a run and all its processes, or apps of it'))
    .argument('[apps...]', 'app ids, as --app-id')
    .option('-a, --app-id <id>', 'end this app and its sidecar alone; may be repeated', listOf, [])
    .addOption(new Option('--run-file <file>', 'as -f; `dapr stop` calls it so').hideHelp())
    .addOption(new Option('-w, --wait', 'as always; `dapr stop` does not by itself').hideHelp())
    .option('--force', 'kill them at once')
    .action(async (named: string[], { appId, runFile, wait: _wait, ...given }) => {
      const { stop, stopApps } = await load();
      const options = runFile === undefined ? given : { ...given, file: runFile };
      const apps: readonly string[] = [...named, ...appId];
      done(await (apps.length > 0 ? stopApps(apps, options, context) : stop(options, context)));
    });
}
