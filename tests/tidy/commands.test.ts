import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root, text, trackedFiles } from './tree.ts';

/** A command line of a page, and where it stands. */
interface Shown {
  readonly at: string;
  readonly words: readonly string[];
}

const pages = trackedFiles().filter((file) => file.endsWith('.md'));
const BINS = {
  holdfast: 'packages/cli/src/holdfast-main.ts',
  holdfastd: 'packages/cli/src/holdfastd-main.ts',
} as const;

describe('command lines in the documentation', () => {
  test('every npm script exists, and every file that node or bash is given', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts);
    const wrong = pages.flatMap((page) => {
      const shown = text(page);
      const runs = [...shown.matchAll(/\bnpm run ([a-z:-]+)/g)].map((match) => match[1]!);
      const files = shown.matchAll(
        /\b(?:node --[^\n`]*?|bash )((?:[\w-]+\/)+[\w.-]+\.(?:ts|mjs|sh))\b/g,
      );
      return [
        ...runs.filter((name) => !scripts.includes(name)).map((name) => `${page}: npm run ${name}`),
        ...[...files]
          .filter(([, file]) => !existsSync(join(root, file!)))
          .map(([, file]) => `${page}: ${file}`),
      ];
    });
    assert.deepEqual(wrong, []);
  });

  test('TypeScript is run by the Node that comes along: one of 20 cannot', () => {
    const wrong = pages.flatMap((page) =>
      [...text(page).matchAll(/(?<!npx )\bnode --[^\n`]*\.ts\b/g)].map(
        ([run]) => `${page}: ${run}`,
      ),
    );
    assert.deepEqual(wrong, []);
  });

  test('every command of holdfast and holdfastd exists, with the flags that it is shown with', async () => {
    const shown = pages.flatMap((page) => commandsOf(page));
    const helps = new Map<string, Promise<string>>();
    const help = (command: string): Promise<string> => {
      const known = helps.get(command) ?? helpOf(command.split(' '));
      helps.set(command, known);
      return known;
    };
    const wrong = await Promise.all(
      shown.map(async ({ at, words }) => {
        const command = commandIn(words);
        const said = await help(command);
        return flagsOf(words)
          .filter((flag) => !new RegExp(`(?:^|[\\s,])${flag}(?=[\\s,]|$)`, 'm').test(said))
          .map((flag) => `${at}: ${command} has no ${flag}`);
      }),
    );
    assert.ok(shown.length > 40, `${shown.length} command lines were found`);
    assert.deepEqual(wrong.flat(), []);
  });
});

/** The lines of shell blocks, and the code in sentences, that begin with one of our commands. */
function commandsOf(page: string): Shown[] {
  const lines = text(page)
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines.flatMap((line, index) => {
    const bare = line.replace(/\s#\s.*$/, '');
    const inline = [...line.matchAll(/`((?:npx )?holdfastd? [^`]+)`/g)].map((match) => match[1]!);
    const own = /^(?:npx )?holdfastd? [a-z-]/.test(bare) ? bare.split(/; | &$/) : [];
    return [...own, ...inline]
      .map((command) => command.trim().replace(/^npx /, '').split(/\s+/))
      .filter(([bin, next]) => bin! in BINS && next !== undefined && /^[a-z-]/.test(next))
      .map((words) => ({ at: `${page}:${index + 1}`, words }));
  });
}

/** `holdfast dead list`: all words before the first that is a flag or a value. */
function commandIn([bin, first, second]: readonly string[]): string {
  if (bin === 'holdfastd') return bin;
  const nested = first === 'ca' || first === 'dead' || first === 'queue';
  return nested && /^[a-z]+$/.test(second ?? '') ? `${bin} ${first} ${second}` : `${bin} ${first}`;
}

/** Without their values; what follows `--` is another program's. */
function flagsOf(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return words
    .slice(0, end === -1 ? words.length : end)
    .filter((word) => /^--?[a-zA-Z]/.test(word))
    .map((word) => word.split('=', 1)[0]!);
}

/** A command that is not there has no help of its own, and none of the flags. */
async function helpOf([bin, ...words]: readonly string[]): Promise<string> {
  const main = join(root, BINS[bin as keyof typeof BINS]);
  const args = ['--conditions=source', main, ...words, '--help'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.match(stdout, new RegExp(`holdfastd?(?:.*\\b${words.at(-1) ?? ''})`), words.join(' '));
  return stdout;
}
