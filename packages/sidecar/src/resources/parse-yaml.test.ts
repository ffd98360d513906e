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
  const { documents, lines } = parseYaml("a:\n  b: 'x\ny'\n---\nc: 1\n");
  assert.equal(lines.linePos(documents[1]!.contents!.range![0]).line, 5);
});

test('a quote that nobody closes is an error, and so is one that another document would close', () => {
  assert.deepEqual(
    ["a:\n  b: 'x\ny\n", "a:\n  b: 'x\n---\nc: y'\n", "a: 'x"].map(
      (text) => parseYaml(text).documents[0]!.errors.length > 0,
    ),
    [true, true, true],
  );
});

const valuesOf = (text: string): unknown[] =>
  parseYaml(text).documents.map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
