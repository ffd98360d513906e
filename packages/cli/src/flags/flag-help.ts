import type { Flag } from './flag.ts';

const WIDTH = 100;

/** The part of `--help` that a table of flags is. Flags without effect come last, in one paragraph. */
export function flagHelp(table: readonly Flag[]): string {
  const shown = table.filter((flag) => flag.ignored === undefined && flag.deprecated === undefined);
  const heads = shown.map(headOf);
  const column = Math.max(...heads.map((head) => head.length)) + 4;
  const rows = shown.map((flag, index) => {
    const lines = wrapped(meaningOf(flag), WIDTH - column);
    return `  ${heads[index]!.padEnd(column - 2)}${lines.join(`\n${' '.repeat(column)}`)}`;
  });
  const old = table.filter((flag) => flag.deprecated !== undefined).map((flag) => `--${flag.name}`);
  const idle = table.filter((flag) => flag.ignored !== undefined).map((flag) => `--${flag.name}`);
  return [
    ...rows,
    ...(old.length === 0 ? [] : ['', ...paragraph(`Deprecated: ${old.join(', ')}.`)]),
    ...(idle.length === 0
      ? []
      : ['', ...paragraph(`Accepted without effect: ${idle.join(', ')}.`)]),
  ].join('\n');
}

/** The same as a table of Markdown, for the reference. */
export function flagTable(table: readonly Flag[]): string {
  const rows = table.map((flag) => {
    const name = [
      ...(flag.letter === undefined ? [] : [`\`-${flag.letter}\``]),
      `\`--${flag.name}\``,
    ];
    const initial = flag.default === undefined ? '' : `\`${flag.default}\``;
    return `| ${name.join(', ')} | ${initial} | ${meaningOf(flag, false).replaceAll('|', '\\|')} |`;
  });
  return ['| flag | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function headOf(flag: Flag): string {
  const letter = flag.letter === undefined ? '' : `-${flag.letter}, `;
  const value = flag.type === 'boolean' ? '' : ` ${flag.value ?? 'VALUE'}`;
  return `${letter}--${flag.name}${value}`;
}

function meaningOf(flag: Flag, withDefault = true): string {
  const choices = flag.choices === undefined ? '' : `: ${flag.choices.join(', ')}`;
  const initial =
    withDefault && flag.default !== undefined && flag.default !== 'false'
      ? ` (default ${flag.default})`
      : '';
  const ignored = flag.ignored === undefined ? '' : `. Without effect: ${flag.ignored}`;
  const deprecated =
    flag.deprecated === undefined ? '' : `. Deprecated: use \`--${flag.deprecated}\``;
  const ours = flag.ours === true && !withDefault ? '. Not a flag of daprd' : '';
  return `${flag.meaning}${choices}${initial}${ours}${deprecated}${ignored}`;
}

function paragraph(text: string): readonly string[] {
  return wrapped(text, WIDTH - 2).map((line) => `  ${line}`);
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
