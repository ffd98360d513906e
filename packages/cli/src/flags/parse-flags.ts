import { nearest } from '@holdfast/config';
import { type Flag, FlagError, type FlagValue, type ParsedFlags } from './flag.ts';
import { readFlagValue } from './flag-value.ts';

export interface ParseFlagsOptions {
  /** `-app-id` is `--app-id`, as with Go's own flags; then letters stand alone, and are not put together. @default false */
  readonly singleDash?: boolean;
  /** `--flag false` is read as the flag's value; with a command following it would be ambiguous. @default false */
  readonly booleanWords?: boolean;
  /** Whether words that are no flags may follow. @default false */
  readonly rest?: boolean;
}

/**
 * Reads a command line by a table of flags: `--name=value`, `--name value`,
 * `-n value`, `-nvalue`, `--boolean`. Of a flag given twice the last counts,
 * but `texts` and `list` gather all.
 *
 * @throws FlagError for an unknown flag, naming the nearest, and for a bad value
 */
export function parseFlags(
  table: readonly Flag[],
  args: readonly string[],
  options: ParseFlagsOptions = {},
): ParsedFlags {
  const values = new Map<string, FlagValue>();
  const notes: string[] = [];
  let index = 0;
  while (index < args.length) {
    const word = args[index]!;
    if (word === '--') {
      index += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    const { flag, value } = split(table, word, options);
    index += 1;
    let text = value;
    if (text === undefined && flag.type === 'boolean') {
      const next = args[index];
      const isWord = options.booleanWords === true && (next === 'true' || next === 'false');
      text = isWord ? next : 'true';
      if (isWord) index += 1;
    }
    if (text === undefined) {
      text = args[index];
      index += 1;
      if (text === undefined) throw new FlagError(`--${flag.name} needs a value.`);
    }
    add(values, flag, readFlagValue(flag, text));
    note(notes, flag);
  }
  const rest = args.slice(index);
  if (rest.length > 0 && options.rest !== true) {
    throw new FlagError(`"${rest[0]}" is no flag; only flags may be given here.`);
  }
  return { values, rest, notes };
}

function split(
  table: readonly Flag[],
  word: string,
  { singleDash = false }: ParseFlagsOptions,
): { flag: Flag; value: string | undefined } {
  const long = word.startsWith('--') || singleDash;
  if (!long) {
    const flag = table.find(({ letter }) => letter === word[1]);
    if (flag === undefined) throw unknown(table, word.slice(1), word, '-');
    const rest = word.slice(2);
    return { flag, value: rest === '' ? undefined : rest.replace(/^=/, '') };
  }
  const [name, ...parts] = word.replace(/^--?/, '').split('=');
  const isLetter = name!.length === 1 && !word.startsWith('--');
  const flag = table.find((row) => row.name === name || (isLetter && row.letter === name));
  if (flag === undefined) throw unknown(table, name!, word, '--');
  return { flag, value: parts.length === 0 ? undefined : parts.join('=') };
}

function unknown(table: readonly Flag[], name: string, word: string, dashes: string): FlagError {
  const meant = nearest(
    name,
    table.map((flag) => flag.name),
  );
  const hint = meant === undefined ? 'see --help for those there are' : `did you mean --${meant}?`;
  const given = word.startsWith(dashes) ? word.split('=', 1)[0] : word;
  return new FlagError(`Unknown flag ${given}; ${hint}`);
}

function add(
  values: Map<string, FlagValue>,
  flag: Flag,
  value: string | number | boolean | readonly string[],
): void {
  if (flag.type !== 'texts' && flag.type !== 'list') {
    values.set(flag.name, value);
    return;
  }
  const before = (values.get(flag.name) ?? []) as readonly string[];
  const more = typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value;
  values.set(flag.name, [...before, ...(more as readonly string[])]);
}

function note(notes: string[], flag: Flag): void {
  if (flag.deprecated !== undefined) {
    notes.push(`--${flag.name} is deprecated; use --${flag.deprecated}.`);
  }
  if (flag.ignored !== undefined) notes.push(`--${flag.name} has no effect: ${flag.ignored}.`);
}
