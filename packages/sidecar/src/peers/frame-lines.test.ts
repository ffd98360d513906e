import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BYE, CREDIT, DATA, HEAD, headText, LAST, PREFACE, RESET } from './frame-format.ts';
import { FrameLines } from './frame-lines.ts';

const ALL = Buffer.concat([
  PREFACE,
  head(['POST', '/charge?sum=7&api_key=k1'], ['x-mine', '1', 'Authorization', 'Bearer k2'], 'body'),
  head(['201'], ['set-cookie', 'k3', 'dapr-api-token', 'k4']),
  frame(DATA, Buffer.from('x'.repeat(100))),
  frame(DATA | LAST, Buffer.from([0, 255])),
  frame(CREDIT, Buffer.from([0, 1, 0, 0])),
  frame(RESET, Buffer.alloc(0)),
  frame(BYE, Buffer.from('no certificate')),
]);

const LINES = [
  'HEAD stream=7 length=68 POST /charge?sum=7&api_key=*** | x-mine: 1 | Authorization: *** | "body"',
  'HEAD stream=7 length=37 201 | set-cookie: *** | dapr-api-token: ***',
  `DATA stream=7 length=100 "${'x'.repeat(64)}"…`,
  'DATA last stream=7 length=2 0x00ff',
  'CREDIT stream=7 length=4 +65536',
  'RESET stream=7 length=0',
  'BYE stream=7 length=14 "no certificate"',
];

test('a frame is a line: kind, call, length, head, the beginning of the body; secrets are masked', () => {
  const lines = new FrameLines().read(ALL);
  assert.deepEqual(lines, LINES);
  assert.doesNotMatch(lines.join('\n'), /k[1-4]/);
});

test('however the bytes are cut, the lines are the same', () => {
  for (const size of [1, 2, 7, 64]) {
    const reader = new FrameLines();
    const lines: string[] = [];
    for (let at = 0; at < ALL.length; at += size) {
      lines.push(...reader.read(ALL.subarray(at, at + size)));
    }
    assert.deepEqual(lines, LINES, `pieces of ${size}`);
  }
});

test('what is no frame is said once, and a head cannot write lines of its own', () => {
  const stranger = new FrameLines();
  assert.deepEqual(stranger.read(Buffer.from('GET / HTTP/1.1\r\n\r\n')), [
    `no frame: ${Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')}`,
  ]);
  assert.deepEqual(stranger.read(ALL), []);
  const sly = head(['GET', '/x'], ['a', 'b\r2026-08-01 forged']);
  assert.deepEqual(new FrameLines().read(Buffer.concat([PREFACE, sly])), [
    'HEAD stream=7 length=30 GET /x | a: b\\x0d2026-08-01 forged',
  ]);
});

function head(first: readonly string[], headers: readonly string[], body = ''): Buffer {
  const text = Buffer.from(headText(first.join('\n'), headers), 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return frame(HEAD, Buffer.concat([length, text, Buffer.from(body)]));
}

function frame(kind: number, payload: Buffer): Buffer {
  const start = Buffer.alloc(9);
  start.writeUInt32BE(payload.length, 0);
  start[4] = kind;
  start.writeUInt32BE(7, 5);
  return Buffer.concat([start, payload]);
}
