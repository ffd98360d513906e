import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml } from './parse-yaml.ts';

test('a quoted text may go on in lines with tabs, or without any indentation', () => {
  assert.deepEqual(
    [
      valuesOf('a:\n  b: \'{\n\t"x": 1,\n}\'\n  c: 2\n'),
      valuesOf('a:\n  - b: "one\n\\"two\\"\n\nthree"\n    c: \'it\'\'s\nhere\'\n'),
    ],
    [[{ a: { b: '{ "x": 1, }', c: 2 } }], [{ a: [{ b: 'one "two"\nthree', c: "it's here" }] }]],
  );
});

test('lines keep their numbers', () => {
  const [, second] = parseYaml("a:\n  b: 'x\ny'\n--- # and\nc: 1\n");
  const start = second!.document.contents!.range![0];
  assert.deepEqual(second!.position(start), { line: 5, col: 1 });
});

test('a quote that nobody closes is an error, and so is one that another document would close', () => {
  assert.deepEqual(
    ["a:\n  b: 'x\ny\n", "a:\n  b: 'x\n---\nc: y'\n", "a: 'x"].map(
      (text) => parseYaml(text)[0]!.document.errors.length > 0,
    ),
    [true, true, true],
  );
});

test('what is wrong in a document is nothing to those beside it, and each has its number', () => {
  const text = '---\na: 1\n---\nb: [1\n---\nc: "x\n---\n---\n# nothing\n---\nd: 2\n';
  assert.deepEqual(
    parseYaml(text).map(({ document, number, position }) => {
      const [error] = document.errors;
      return [number, error === undefined ? document.toJS() : position(error.pos[0]).line];
    }),
    [
      [1, { a: 1 }],
      [2, 5],
      [3, 7],
      [4, { d: 2 }],
    ],
  );
});

test('scalars are what Go has of them', () => {
  const text = `{ a: yes, b: "yes", c: N, d: 017, e: 0o17, f: 1_000, g: 0b11, h: 1:30, i: 2001-12-14,
    j: 12345678901234567890, k: 1.50, l: !!binary aGk=, m: &x { p: 1 }, o: { <<: *x, q: -0o17 }, r: 08 }`;
  assert.deepEqual(valuesOf(text), [
    {
      ...{ a: true, b: 'yes', c: false, d: 15, e: 15, f: 1000, g: 3, h: '1:30', i: '2001-12-14' },
      ...{ j: '12345678901234567890', k: 1.5, l: 'hi', m: { p: 1 }, o: { p: 1, q: -15 }, r: 8 },
    },
  ]);
});

const valuesOf = (text: string): unknown[] =>
  parseYaml(text).map(({ document }) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
