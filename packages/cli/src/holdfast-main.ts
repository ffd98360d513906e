import { Command, CommanderError, Option } from 'commander';
import type { CaOptions } from './commands/ca.ts';
import type { DeadAction } from './commands/dead.ts';
import type { CommandContext } from './commands/output.ts';
import type { QueueAction, QueueOptions } from './commands/queue.ts';
import type { DeadOptions } from './dead/dead-options.ts';
import { FlagError } from './flags/flag.ts';
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

// A reader that goes away (`holdfast ps | head -1`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

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

  addRunCommands(program, done);
  addCaCommands(program, done);
  addQueueCommands(program, done);
  addDeadCommands(program, done);

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

/** The commands that act on a run that is up. */
function addRunCommands(program: Command, done: (status: number) => void): void {
  const load = () => import('./commands/run-commands.ts');
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
      const { list } = await import('./commands/list.ts');
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

/** An option that is given several times. */
function listOf(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** The commands of an authority of one's own, for mTLS between sidecars. */
function addCaCommands(program: Command, done: (status: number) => void): void {
  const ca = program
    .command('ca')
    .description('make and renew certificates for sidecars that call each other by mTLS');
  const add = (
    action: 'init' | 'issue' | 'renew' | 'rotate' | 'prune',
    description: string,
    args: string | undefined,
    options: readonly (readonly [flags: string, meaning: string])[],
  ): void => {
    const command = ca.command(action).description(description);
    if (args !== undefined) command.argument(args, 'app ids');
    command.option('-d, --dir <folder>', 'where the authority is', 'certs');
    for (const [flags, meaning] of options) command.option(flags, meaning);
    command.action(async (...given: unknown[]) => {
      const apps = args === undefined ? [] : (given[0] as string[]);
      const { ca: run } = await import('./commands/ca.ts');
      done(await run(action, apps, command.opts() as CaOptions, context));
    });
  };
  const lives = [
    ['--root-days <days>', 'how long the root is good (3650)'],
    ['--issuer-days <days>', 'how long the issuer is good (365)'],
  ] as const;
  const namespace = ['-n, --namespace <name>', "the apps' namespace (default)"] as const;

  add('init', 'make a root and an issuer', undefined, [
    ['--trust-domain <name>', 'the first part of every id (public)'],
    ...lives,
    ['--force', 'replace the authority that is there'],
  ]);
  add('issue', 'make a certificate for each app: spiffe://DOMAIN/ns/NAMESPACE/APP', '<apps...>', [
    namespace,
    ['--trust-domain <name>', "the first part of the id (the issuer's; Dapr's names none)"],
    ['--days <days>', 'how long it is good (30)'],
    ['--force', 'replace a certificate that is there'],
  ]);
  add('renew', 'renew certificates in the last third of their life', '[apps...]', [
    namespace,
    ['--days <days>', 'how long they are good (as long as before)'],
    ['--all', 'renew the others too'],
  ]);
  add('rotate', 'make a new root and issuer; old roots stay trusted', undefined, lives);
  add('prune', 'trust the newest root alone', undefined, [
    ['--force', 'although a certificate still needs an older one'],
  ]);
}

/** How much waits in a store, and topics on pause. */
function addQueueCommands(program: Command, done: (status: number) => void): void {
  const queue = program
    .command('queue')
    .description('see how much waits in an outbox or for workers; pause and resume topics');
  const add = (action: QueueAction, description: string, topics?: string): Command => {
    const command = queue.command(action).description(description);
    if (topics !== undefined) command.argument('<topics...>', topics);
    addStoreOptions(command);
    command.action(async (...given: unknown[]) => {
      const { queue: run } = await import('./commands/queue.ts');
      const named = topics === undefined ? [] : (given[0] as string[]);
      done(await run(action, named, command.opts() as QueueOptions, context));
    });
    return command;
  };
  add('stats', 'what waits, is dead and is paused').option('--json', 'print JSON');
  add('pause', 'hand over nothing more of these topics, in any process', 'their names').option(
    '--minutes <count>',
    'until so many minutes are over (until `resume`)',
  );
  add('resume', 'go on with them', 'their names');
}

/** Which store a command is about. */
function addStoreOptions(command: Command): void {
  command.requiredOption(
    '-s, --store <file>',
    "the outbox's SQLite file, or postgres://USER@HOST/DATABASE; a service may have it open",
  );
  command.option('--schema <name>', 'on PostgreSQL: its schema (holdfast)');
}

/** What could not be delivered, in the file of an outbox. */
function addDeadCommands(program: Command, done: (status: number) => void): void {
  const dead = program
    .command('dead')
    .description('look at dead letters of an outbox, replay, edit, move or drop them');
  const add = (
    action: DeadAction,
    description: string,
    args: readonly (readonly [name: string, meaning: string])[],
    options: readonly (readonly [flags: string, meaning: string])[],
  ): void => {
    const command = dead.command(action).description(description);
    for (const [name, meaning] of args) command.argument(name, meaning);
    addStoreOptions(command);
    command.option(
      '--key-file <file>',
      'of an encrypted outbox: its keys, a line `[ID] BASE64` for each, the one to encrypt with first',
    );
    for (const [flags, meaning] of options) command.option(flags, meaning);
    command.action(async (...given: unknown[]) => {
      const { dead: run } = await import('./commands/dead.ts');
      done(
        await run(
          action,
          args.length === 0 ? [] : ([given[0]].flat() as string[]),
          command.opts() as DeadOptions,
          context,
        ),
      );
    });
  };
  const which = [
    ['--topic <topic>', 'those for this topic'],
    ['--reason <text>', 'those that died of this: a reason as `list` shows it, or one of theirs'],
  ] as const;
  const all = ['--all', 'every one'] as const;
  const json = ['--json', 'print JSON'] as const;
  const ids = [['[ids...]', 'as `list --each` shows them']] as const;
  const dryRun = ['--dry-run', 'only say which'] as const;

  add(
    'list',
    'what died and why, in groups',
    [],
    [
      ...which,
      ['--each', 'a row for each letter'],
      ['--limit <count>', 'at most so many rows (100)'],
      json,
    ],
  );
  add('show', 'one of them whole', [['<id>', 'its id']], [json]);
  add('replay', 'put them back in the queue, for the topic they were accepted for', ids, [
    ...which,
    all,
    ['--per-second <count>', 'at this rate (100)'],
    dryRun,
  ]);
  add(
    'edit',
    'change what is to be sent',
    [['<id>', 'its id']],
    [
      ['--body <file>', 'the new body (-: standard input)'],
      ['--topic <topic>', 'another topic'],
      ['--header <name=value...>', 'other headers, in place of all it has'],
    ],
  );
  add('export', 'write them as lines of JSON; they stay', ids, [
    ...which,
    all,
    ['-o, --out <file>', 'where to (standard output)'],
    ['--force', 'replace a file that is there'],
  ]);
  add(
    'import',
    'add letters that `export` wrote',
    [['<file>', 'lines of JSON (-: standard input)']],
    [],
  );
  add('drop', 'forget them for ever', ids, [...which, all, dryRun]);
}
