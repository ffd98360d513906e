import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageScanner, parseTrailers, trailersFrame } from './message-scanner.ts';

const frame = (payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
};

test('messages pass as they are and trailers are kept, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40, size: 'max' }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40, size: 'max' }),
      (payloads, cuts) => {
        const messages = Buffer.concat(payloads.map(frame));
        const all = Buffer.concat([messages, trailersFrame([['grpc-status', '0']])]);
        const scanner = new MessageScanner(1_000);
        const out: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          out.push(...scanner.scan(all.subarray(at, at + cut)));
          at += cut;
        }
        assert.deepEqual(
          [Buffer.concat(out), scanner.messages, parseTrailers(scanner.trailers ?? '')],
          [messages, payloads.length, [['grpc-status', '0']]],
        );
      },
    ),
  );
});

test('a message longer than the limit is refused by its head, before it has come', () => {
  const scanner = new MessageScanner(10);
  assert.throws(() => scanner.scan(Buffer.from([0, 0, 0, 0, 11])), {
    message: 'grpc: received message larger than max (11 vs. 10)',
  });
});

test('a stream that is cut within a message says so', () => {
  const scanner = new MessageScanner(10);
  scanner.scan(Buffer.from([0, 0, 0, 0, 2, 1]));
  assert.deepEqual([scanner.within, scanner.trailers], [true, undefined]);
});
