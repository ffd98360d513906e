import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHeaders } from './read-headers.ts';

test('headers are texts, whatever was written; what cannot be read is left out', () => {
  assert.deepEqual(
    [undefined, '', '{"a":', '[1]', 'null', '7', '{"a":"b","n":1,"o":{"p":[]}}'].map(readHeaders),
    [{}, {}, {}, {}, {}, {}, { a: 'b', n: '1', o: '{"p":[]}' }],
  );
});
