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
    // Letters begun and not ended, and ends of none.
    fc
      .array(fc.constantFrom(0x61, 0xc3, 0xa9, 0xe0, 0xa0, 0xf0, 0x90), {
        maxLength: 12,
        size: 'max',
      })
      .map((array) => Buffer.from(array)),
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

test('what is no UTF-8 stays, and letters behind it become capitals, cut or not', () => {
  // Begins a letter of three bytes, and is none.
  const broken = Buffer.from([0xe0, 0x61, 0x62]);
  const raised = Buffer.from([0xe0, 0x41, 0x42]);
  assert.deepEqual(through([broken]), raised);
  assert.deepEqual(through([broken.subarray(0, 2), broken.subarray(2)]), raised);
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
