import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type DeadGroup, type DeadLetters, type Outbox, openOutbox } from '@holdfast/messaging';
import { choiceOf, type DeadOptions, wholeNumber } from '../dead/dead-options.ts';
import { describeLetter, groupTable, letterTable } from '../dead/describe-letter.ts';
import { openStore } from '../dead/open-store.ts';
import { FlagError } from '../flags/flag.ts';
import { headersOf } from '../flags/headers-of.ts';
import { interruptSignals } from '../supervisor/interrupt-signals.ts';
import { fileOrStdin } from './file-or-stdin.ts';
import type { CommandContext } from './output.ts';

export type DeadAction = keyof typeof ACTIONS;

interface DeadCommand extends CommandContext {
  readonly outbox: Outbox;
  readonly dead: DeadLetters;
  readonly words: readonly string[];
  readonly options: DeadOptions;
}

/** `holdfast dead …`: what could not be delivered, from an outbox that may be in use. */
export async function dead(
  action: DeadAction,
  words: readonly string[],
  options: DeadOptions,
  context: CommandContext,
): Promise<number> {
  const { store, name, end } = await openStore(context.cwd, options);
  const outbox = await openOutbox({ store });
  try {
    const command = {
      ...context,
      outbox,
      dead: outbox.dead,
      words,
      options: { ...options, store: name },
    };
    return await ACTIONS[action](command);
  } finally {
    await outbox.close();
    await end();
  }
}

const ACTIONS = { list, show, replay, edit, export: exportTo, import: importFrom, drop } as const;

async function list({ dead, options, output }: DeadCommand): Promise<number> {
  const { topic, reason, each, json } = options;
  const choice = { ...(topic !== undefined && { topic }), ...(reason !== undefined && { reason }) };
  if (each !== true) {
    const groups = await dead.groups(choice);
    if (json === true) output.out(JSON.stringify(groups, null, 2));
    else if (groups.length === 0) output.out('No dead letters.');
    else for (const line of groupTable(groups)) output.out(line);
    return 0;
  }
  const limit = wholeNumber('--limit', options.limit, 100, 100_000);
  const letters = [];
  for await (const letter of dead.each(choice)) {
    if (letters.length === limit) {
      output.err(`These are the first ${limit}; --limit shows more.`);
      break;
    }
    letters.push(letter);
  }
  if (json === true) {
    for await (const line of linesOf(
      dead,
      letters.map(({ message: { id } }) => id),
    ))
      output.out(line);
  } else if (letters.length === 0) output.out('No dead letters.');
  else for (const line of letterTable(letters)) output.out(line);
  return 0;
}

async function show({ dead, outbox, words, options, output }: DeadCommand): Promise<number> {
  const [id = ''] = words;
  const letter = await dead.find(id);
  if (letter === undefined) throw await notDead(outbox, id, options);
  if (options.json === true) {
    for await (const line of linesOf(dead, [id])) output.out(line);
  } else for (const line of describeLetter(letter)) output.out(line);
  return 0;
}

async function replay(command: DeadCommand): Promise<number> {
  const { dead, words, options, output } = command;
  const choice = choiceOf('replay', words, options);
  const perSecond = wholeNumber('--per-second', options.perSecond, 100, 100_000);
  const dryRun = options.dryRun === true;
  const said = await strangers(command);
  const { signal, close } = interruptSignals();
  try {
    const report = await dead.replayAll(choice, { perSecond, dryRun, signal });
    if (dryRun) {
      output.out(`${counted(report.chosen)} would be replayed; nothing was changed.`);
      showGroups(await dead.groups(choice), output);
    } else if (report.stopped) {
      output.out(`Stopped: ${counted(report.replayed)} replayed. The same command goes on.`);
      return 1;
    } else output.out(`${counted(report.replayed)} replayed.`);
    if (report.chosen === 0) noneMatches(options, output);
    return tell(said, output);
  } finally {
    close();
  }
}

async function edit({ dead, outbox, words, options, output, cwd }: DeadCommand): Promise<number> {
  const [id = ''] = words;
  const { body, topic, header } = options;
  if (body === undefined && topic === undefined && header === undefined) {
    throw new FlagError('`dead edit` needs --body FILE, --topic or --header.');
  }
  const change = {
    ...(body !== undefined && {
      body: await fileOrStdin(body, { cwd, option: '--body', what: 'the new body' }),
    }),
    ...(topic !== undefined && { topic }),
    ...(header !== undefined && { headers: headersOf(header) }),
  };
  if (!(await dead.edit(id, change))) throw await notDead(outbox, id, options);
  output.out(
    `${id} was edited; it is still dead. Next: holdfast dead replay ${id} ${sameStore(options)}`,
  );
  return 0;
}

async function exportTo({ dead, words, options, output, cwd }: DeadCommand): Promise<number> {
  const { topic, reason, out, force } = options;
  const some = words.length > 0 || topic !== undefined || reason !== undefined;
  const choice = choiceOf('export', words, some ? options : { ...options, all: true });
  if (out === undefined) {
    for await (const line of dead.export(choice)) output.out(line);
    return 0;
  }
  const file = await open(path.resolve(cwd, out), force === true ? 'w' : 'wx').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw new Error(`${out} is there already; --force replaces it.`);
    },
  );
  let written = 0;
  try {
    for await (const line of dead.export(choice)) {
      await file.write(`${line}\n`);
      written += 1;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  output.out(`${counted(written)} in ${out}; they are still dead here.`);
  return 0;
}

async function importFrom({ dead, words, output, cwd }: DeadCommand): Promise<number> {
  const [name = ''] = words;
  const input = name === '-' ? process.stdin : createReadStream(path.resolve(cwd, name));
  try {
    const { added, known } = await dead.import(
      createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }),
    );
    output.out(`${counted(added)} added${known === 0 ? '' : `, ${known} known already`}.`);
    return 0;
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

async function drop(command: DeadCommand): Promise<number> {
  const { dead, words, options, output } = command;
  const choice = choiceOf('drop', words, options);
  const said = await strangers(command);
  if (options.dryRun === true) {
    const { chosen } = await dead.replayAll(choice, { dryRun: true });
    output.out(`${counted(chosen)} would be dropped; nothing was changed.`);
    showGroups(await dead.groups(choice), output);
    if (chosen === 0) noneMatches(options, output);
    return tell(said, output);
  }
  const dropped = await dead.discardAll(choice);
  output.out(`${counted(dropped)} dropped.`);
  if (dropped === 0) noneMatches(options, output);
  return tell(said, output);
}

/** What is to be said of ids that were named and are not dead; with any of them the command fails. */
async function strangers({
  dead,
  outbox,
  words,
  options,
}: DeadCommand): Promise<readonly string[]> {
  const said: string[] = [];
  for (const id of new Set(words)) {
    if ((await dead.find(id)) === undefined)
      said.push((await notDead(outbox, id, options)).message);
  }
  return said;
}

function showGroups(groups: readonly DeadGroup[], output: CommandContext['output']): void {
  if (groups.length > 0) for (const line of groupTable(groups)) output.out(line);
}

/** A reason or topic that is misspelt matches nothing, as one whose letters are all replayed does. */
function noneMatches(options: DeadOptions, output: CommandContext['output']): void {
  const { topic, reason } = options;
  if (topic === undefined && reason === undefined) return;
  const what = reason === undefined ? `topic "${topic}"` : `reason "${reason}"`;
  output.err(
    `None is dead of ${what}; \`holdfast dead list ${sameStore(options)}\` lists those there are.`,
  );
}

function tell(said: readonly string[], output: CommandContext['output']): number {
  for (const line of said) output.err(line);
  return said.length === 0 ? 0 : 1;
}

/** The flags that name the outbox once more, for a command that is to be copied. */
const sameStore = ({ store, schema }: DeadOptions): string =>
  `--store ${store}${schema === undefined ? '' : ` --schema ${schema}`}`;

async function notDead(outbox: Outbox, id: string, options: DeadOptions): Promise<Error> {
  const found = await outbox.find(id);
  const state = found === undefined ? 'no message has that id' : `that message is ${found.state}`;
  return new Error(
    `No dead letter "${id}" in ${options.store}: ${state}. \`holdfast dead list --each ${sameStore(options)}\` lists those there are.`,
  );
}

async function* linesOf(dead: DeadLetters, ids: readonly string[]) {
  if (ids.length > 0) yield* dead.export({ ids });
}

function counted(count: number): string {
  return `${count} dead letter${count === 1 ? '' : 's'}`;
}
