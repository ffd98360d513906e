import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EmptiedFiles } from './emptied-files.ts';

describe('emptied files', () => {
  test('are waited for until they have been so for long enough, each from its own moment', () => {
    const files = new EmptiedFiles(1_000);
    files.take(sources({ a: 'x', b: 'y' }));
    const waits = [
      files.waitMs(sources({ a: '', b: 'y' }), 0),
      files.waitMs(sources({ a: ' \n', b: '' }), 600),
      files.waitMs(sources({ a: '', b: '' }), 1_000),
      files.waitMs(sources({ a: '', b: '' }), 1_600),
    ];
    assert.deepEqual(waits, [1_000, 1_000, 600, 0]);
  });

  test('that are written again begin anew', () => {
    const files = new EmptiedFiles(1_000);
    const waits = [
      files.waitMs(sources({ a: '' }), 0),
      files.waitMs(sources({ a: 'x' }), 900),
      files.waitMs(sources({ a: '' }), 1_000),
    ];
    assert.deepEqual(waits, [1_000, 0, 1_000]);
  });

  test('that were empty before hold nothing up, nor do those that say something', () => {
    const files = new EmptiedFiles(1_000);
    files.take(sources({ a: '' }));
    assert.equal(files.waitMs(sources({ a: '', b: '# all of it is a comment' }), 0), 0);
  });
});

const sources = (texts: Readonly<Record<string, string>>) =>
  Object.entries(texts).map(([file, text]) => ({ file, bytes: Buffer.from(text) }));
