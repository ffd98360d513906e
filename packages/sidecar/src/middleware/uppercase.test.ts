import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { upperFilter } from './uppercase.ts';

test('letters become capitals; those whose capital has another length stay', () => {
  assert.equal(
    whole('straße é ж ÿ ı ſ ⱥ 𐐨 1'),
    // ß has no single capital; ı, ſ and ⱥ would change their length.
    'STRAßE É Ж Ÿ ı ſ ⱥ 𐐀 1',
  );
});

test('however a body is cut, the same comes out, as long as what went in', () => {
  const bytes = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(64)), (body, cuts) => {
      const once = through([body]);
      const places = [
        0,
        ...cuts.filter((at) => at < body.length).sort((a, b) => a - b),
        body.length,
      ];
      const pieces = places.slice(1).map((end, at) => body.subarray(places[at], end));
      assert.deepEqual(through(pieces), once);
      assert.equal(once.length, body.length);
    }),
  );
});

test('the bytes of whoever sent them are not touched', () => {
  const given = Buffer.from('abc');
  upperFilter().push(given);
  assert.equal(given.toString(), 'abc');
});

function whole(text: string): string {
  return through([Buffer.from(text)]).toString();
}

function through(pieces: readonly Buffer[]): Buffer {
  const filter = upperFilter();
  const out = pieces.map((piece) => filter.push(piece));
  return Buffer.concat([...out, filter.end()]);
}
