import type { Command } from 'commander';
import type { DeadOptions } from '../dead/dead-options.ts';
import type { CommandLine } from './command-line.ts';
import type { DeadAction } from './dead.ts';
import type { QueueAction, QueueOptions } from './queue.ts';

/** How much waits in a store, and topics on pause. */
export function addQueueCommands({ program, done, context }: CommandLine): void {
  const queue = program
    .command('queue')
    .description('see how much waits in an outbox or for workers; pause and resume topics');
  const add = (action: QueueAction, description: string, topics?: string): Command => {
    const command = queue.command(action).description(description);
    if (topics !== undefined) command.argument('<topics...>', topics);
    addStoreOptions(command);
    command.action(async (...given: unknown[]) => {
      const { queue: run } = await import('./queue.ts');
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
export function addDeadCommands({ program, done, context }: CommandLine): void {
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
      const { dead: run } = await import('./dead.ts');
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
