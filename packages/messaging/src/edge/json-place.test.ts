import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJson } from './json-place.ts';

test('broken JSON is told where it breaks, by line and column or by byte', () => {
  const why = (text: string | Buffer) => {
    const read = readJson(Buffer.from(text as string));
    return read.kind === 'broken' ? read.why : read.value;
  };
  assert.deepEqual(
    {
      colon: why('{"a" 1}'),
      comma: why('[1,]'),
      token: why('{"a":\n  tru}'),
      first: why('<xml/>'),
      second: why('{} x'),
      end: why('{"a":1'),
      open: why('"abc'),
      number: why('{"a":-}'),
      escape: why('["\\u00zz"]'),
      bytes: why(Buffer.from([0x5b, 0x22, 0xe2, 0x82, 0x22, 0x5d])),
      long: why(`[${'1,'.repeat(50_000)}]`),
      mark: why('\ufeff{}'),
      well: why('{"a":"é"}'),
    },
    {
      colon: 'it breaks at line 1, column 6',
      comma: 'it breaks at line 1, column 4',
      token: 'it breaks at line 2, column 6',
      first: 'it breaks at line 1, column 1',
      second: 'it breaks at line 1, column 4',
      end: 'it breaks at line 1, column 7',
      open: 'it breaks at line 1, column 5',
      number: 'it breaks at line 1, column 7',
      escape: 'it breaks at line 1, column 7',
      bytes: 'it is not UTF-8 from byte 4 on',
      long: 'it breaks somewhere',
      mark: {},
      well: { a: 'é' },
    },
  );
});
