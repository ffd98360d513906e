import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { root, text, trackedFiles } from './tree.ts';

const pages = trackedFiles().filter((file) => file.endsWith('.md'));
const code = trackedFiles().filter((file) => file.endsWith('.ts'));

describe('documentation', () => {
  test('every TypeScript block stands, line for line, in a file that is compiled', () => {
    const compiled = code.map((file) => flat(text(file)));
    const loose = pages.flatMap((page) =>
      blocksOf(page, 'ts')
        .filter(({ body }) => !compiled.some((source) => holds(source, body)))
        .map(({ line, body }) => `${page}:${line}: ${body.split('\n')[0]}`),
    );
    assert.deepEqual(loose, [], 'put the block into a test or an example, then show it');
  });

  test('every relative link leads to a file', () => {
    const dead = pages.flatMap((page) =>
      [...text(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !existsSync(join(root, normalize(join(dirname(page), target)))))
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(dead, []);
  });

  test('every link to a heading leads to one', () => {
    const dead = pages.flatMap((page) =>
      [...text(page).matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)]
        .map(([, file, heading]) => ({
          target: file === '' ? page : normalize(join(dirname(page), file!)),
          heading: heading!,
        }))
        .filter(({ target, heading }) => pages.includes(target) && !headingsOf(target).has(heading))
        .map(({ target, heading }) => `${page}: ${target}#${heading}`),
    );
    assert.deepEqual(dead, []);
  });

  test('every file that a page or a comment names by its path is there', () => {
    const gone = [...pages, ...code].flatMap((file) =>
      [...proseOf(file).matchAll(NAMED_FILE)]
        .filter(([named]) => !existsSync(join(root, named)))
        .map(([named]) => `${file}: ${named}`),
    );
    assert.deepEqual(gone, []);
  });

  test('every page is in the list of its folder', () => {
    const lists = ['docs/README.md', 'docs/decisions/README.md'];
    const shown = lists.flatMap((list) =>
      [...text(list).matchAll(/\]\(([^)#]+)/g)].map(([, target]) =>
        normalize(join(dirname(list), target!)),
      ),
    );
    const missing = pages.filter(
      (page) => page.startsWith('docs/') && !lists.includes(page) && !shown.includes(page),
    );
    assert.deepEqual(missing, []);
  });

  test('the front page stays within 150 lines', () => {
    assert.ok(text('README.md').split('\n').length <= 150);
  });
});

/** A path from the root; what a run writes into `.holdfast` is no file of the repository. */
const NAMED_FILE =
  /(?<![\w./@-])(?:packages|tests|docs|scripts|bench|examples)\/(?![^\s`]*\.holdfast\/)[\w./-]+\.(?:ts|mjs|md|sh|ya?ml)\b/g;

/** A page, or the comments of a file of code. */
function proseOf(file: string): string {
  if (file.endsWith('.md')) return text(file);
  return text(file)
    .split('\n')
    .filter((line) => /^\s*(?:\/\/|\/?\*)/.test(line))
    .join('\n');
}

/** The names that a page's headings have in links to them. */
function headingsOf(page: string): Set<string> {
  return new Set(
    [...text(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Whether a file has a block's imports and, in one piece, the rest of it. */
function holds(source: string, block: string): boolean {
  const imports = block.match(/^import [^;]*;$/gm) ?? [];
  const rest = block.replaceAll(/^import [^;]*;$/gm, '');
  return [...imports, rest].every((part) => source.includes(flat(part)));
}

/** The fenced blocks of one language, with the line each begins on. */
function blocksOf(page: string, language: string): { line: number; body: string }[] {
  const shown = text(page);
  return [...shown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => ({ line: shown.slice(0, match.index).split('\n').length, body: match[1]! }),
  );
}

/**
 * The code without comments and layout, so that a block may stand inside a
 * test's function and be wrapped by the formatter as it likes.
 */
function flat(source: string): string {
  return source
    .replaceAll(/(^|\s)\/\/[^\n]*/g, '$1')
    .replaceAll(/\s+/g, '')
    .replaceAll(/,([)\]}])/g, '$1');
}
