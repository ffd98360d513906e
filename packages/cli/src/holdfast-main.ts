import { Command, CommanderError } from 'commander';
import { addCaCommands } from './commands/add-ca-commands.ts';
import { addCallCommands } from './commands/add-call-commands.ts';
import { addDaprOnlyCommands } from './commands/add-dapr-only-commands.ts';
import { addRunCommands } from './commands/add-run-commands.ts';
import { addDeadCommands, addQueueCommands } from './commands/add-store-commands.ts';
import type { CommandContext } from './commands/output.ts';
import { refuseEmpty } from './flags/refuse-empty.ts';
import { refuseOneDash } from './flags/refuse-one-dash.ts';
import { version } from './version.ts';

/** 0 all went well, 1 something failed, 2 the command line was not understood. */
const FAILED = 1;
const BAD_USAGE = 2;

const context: CommandContext = {
  output: {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  },
  cwd: process.cwd(),
  env: process.env as Readonly<Record<string, string>>,
};

// A reader that goes away (`holdfast ps | head -1`, `holdfast run 2>&1 | head`) is no error of ours, and ends no run.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = commands((returned) => {
    status = returned;
  });
  try {
    refuseOneDash(program, args);
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    // Commander has printed its own sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
    const { code, message } = error as { readonly code?: string; readonly message: string };
    context.output.err(code === 'RUN_FILE_INVALID' ? message : `holdfast: ${message}`);
    return code === 'BAD_FLAG' ? BAD_USAGE : FAILED;
  }
}

/** Each command loads its own code: `ps` must not wait for what `check` needs. */
function commands(done: (status: number) => void): Command {
  const program = new Command('holdfast')
    .description('Keeps services working when what they depend on does not, and shows how.')
    .version(version(), '-v, --version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError(
      '(`holdfast --help` lists the commands, `holdfast COMMAND --help` what one takes.)',
    )
    .configureHelp({ helpWidth: 100 })
    .hook('preAction', (_program, command) => refuseEmpty(command));

  program
    .command('run')
    .description('run an app beside a sidecar, or all apps of a run file (-f dapr.yaml)')
    .usage('[flags] -- COMMAND | -f FILE')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (_args: string[], _options: unknown, command: Command) => {
      const { run } = await import('./commands/run.ts');
      done(await run(command.args, context));
    });

  const line = { program, done, context };
  addRunCommands(line);
  addCallCommands(line);
  addCaCommands(line);
  addQueueCommands(line);
  addDeadCommands(line);
  addDaprOnlyCommands(line);

  program
    .command('check')
    .description('say what is wrong with policy files, with line, column and what was meant')
    .argument('<paths...>', 'files, or folders of files')
    .option('--strict', 'fail on warnings too')
    .option('--json', 'print JSON')
    .action(async (paths: string[], options: { strict?: boolean; json?: boolean }) => {
      const { check } = await import('./commands/check.ts');
      done(await check(paths, options, context));
    });

  program
    .command('explain')
    .description('say in words what a policy file does to the calls of an app')
    .argument('<paths...>', 'files, or folders of files')
    .requiredOption('-a, --app <id>', 'the app that is called')
    .option('-m, --method <path>', 'the method that is called')
    .option('--json', 'print JSON')
    .action(async (paths: string[], options: { app: string; method?: string; json?: boolean }) => {
      const { explain } = await import('./commands/explain.ts');
      done(await explain(paths, options, context));
    });

  program
    .command('version')
    .description('print the version')
    .action(() => context.output.out(version()));
  return program;
}
