import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { checkResiliency } from '../problems/check-resiliency.ts';
import { formatProblem } from '../problems/problem.ts';
import { RULES } from '../problems/rules.ts';
import { BAD_INPUT } from '../testing/bad-input.ts';
import { LARGEST_FILE_BYTES, parseResiliency } from './parse-resiliency.ts';

const fixtures = new URL('../../fixtures/', import.meta.url);

describe('a bad policy file', () => {
  for (const [name, lines] of Object.entries(BAD_INPUT)) {
    test(`${name} is told by file, line, column, rule and one sentence`, async () => {
      assert.deepEqual(problemsOf(await readFixture(`bad/${name}.yaml`), `${name}.yaml`), lines);
    });
  }

  test('has a line in this table for each fixture there is', async () => {
    const files = await readdir(new URL('bad/', fixtures));
    assert.deepEqual(
      files.sort(),
      Object.keys(BAD_INPUT)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
  });

  test('10 MB of anchors is refused by its size, before it is parsed', () => {
    const bomb = `kind: Resiliency\na: &a [x]\n${'b: [*a, *a, *a, *a]\n'.repeat(500_000)}`;
    assert.ok(bomb.length > 10_000_000);
    assert.deepEqual(problemsOf(bomb, 'bomb.yaml'), [
      'bomb.yaml:1:1 error too-large: is over 256 KiB, the limit; split it into several files.',
    ]);
  });

  test('nested without end is refused, and does not end the process', () => {
    const deep = `kind: Resiliency\nspec: ${'['.repeat(100_000)}`;
    assert.deepEqual(problemsOf(deep, 'deep.yaml'), [
      'deep.yaml:1:1 error too-deep: is nested more deeply than a policy file can be.',
    ]);
  });

  test('with over 100 problems lists 100 and says so', () => {
    const many = Array.from({ length: 150 }, (_, index) => `      t${index}: soon\n`).join('');
    const lines = problemsOf(`${HEAD}  policies:\n    timeouts:\n${many}`, 'many.yaml');
    assert.equal(lines.length, 101);
    assert.equal(lines.at(-1), 'many.yaml:108:13 error too-many-problems: has over 100 problems.');
  });

  test('with over 1,000 policies of a kind is refused', () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `      t${index}: 1s\n`).join('');
    const lines = problemsOf(`${HEAD}  policies:\n    timeouts:\n${many}`, 'many.yaml');
    assert.equal(
      lines[0],
      'many.yaml:1008:7 error too-many-entries: policies.timeouts has over 1000 entries, the limit.',
    );
  });

  test('with what cannot be used among its policies has no fewer of another kind', () => {
    const of = (count: number, line: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => line(index)).join('');
    const bad = of(90, (index) => `      t${index}: soon\n`);
    const good = of(950, (index) => `      r${index}: {}\n`);
    const text = `${HEAD}  policies:\n    timeouts:\n${bad}    retries:\n${good}`;
    const [document] = parseResiliency(text, 'many.yaml').documents;
    assert.equal(document?.policies.retries.size, 950);
  });

  test('as large as may be is read in bounded time, whatever is in it', () => {
    const fill = (line: (index: number) => string) => {
      let text = HEAD;
      for (let index = 0; text.length < LARGEST_FILE_BYTES - 100; index += 1) text += line(index);
      return text;
    };
    const rules = (text: string) => {
      const found = new Set(problemsOf(text, 'large.yaml').map((line) => line.split(' ')[2]));
      return [...found].sort();
    };
    const duplicates = fill((index) =>
      index === 0 ? '  policies:\n    timeouts:\n' : '      a: 1\n',
    );
    assert.deepEqual(rules(duplicates), ['duplicate-key:', 'too-many-problems:', 'unused-policy:']);
    const strangers = fill((index) =>
      index === 0 ? '  targets:\n    apps:\n' : `      app${index}: {timeout: t${index}}\n`,
    );
    assert.deepEqual(rules(strangers), ['unknown-policy:']);
    const breakers = fill((index) =>
      index === 0
        ? '  policies:\n    circuitBreakers:\n'
        : `      c${index}: {trip: requests < -${index}}\n`,
    );
    assert.ok(rules(breakers).includes('too-many-problems:'));
    const aliases = fill((index) =>
      index === 0 ? '  targets:\n    apps:\n      a: &a\n' : `        k${index}: 1\n`,
    );
    const again = Array.from({ length: 100 }, (_, index) => `      b${index}: *a\n`).join('');
    const cut = aliases.slice(0, LARGEST_FILE_BYTES - again.length - 20);
    assert.deepEqual(rules(`${cut.slice(0, cut.lastIndexOf('\n') + 1)}${again}`), [
      'too-many-problems:',
      'unknown-key:',
    ]);
  });
});

test('every rule but those of the disk and of several files is shown by a bad file', () => {
  const shown = new Set(
    Object.values(BAD_INPUT)
      .flat()
      .map((line) => line.split(' ')[2]),
  );
  const elsewhere = ['not-found', 'unreadable', 'too-large', 'not-utf8', 'too-deep'];
  const hidden = Object.keys(RULES).filter((rule) => !shown.has(`${rule}:`));
  assert.deepEqual(
    hidden.sort(),
    [...elsewhere, 'redefined', 'too-many-entries', 'too-many-problems'].sort(),
  );
});

const HEAD = 'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: bad\nspec:\n';

function problemsOf(text: string, file: string): string[] {
  const { documents, problems } = parseResiliency(text, file);
  return [...problems, ...checkResiliency(documents)].map(formatProblem);
}

function readFixture(name: string): Promise<string> {
  return readFile(new URL(name, fixtures), 'utf8');
}
