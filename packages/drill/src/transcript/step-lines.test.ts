import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from '../load/http-client.ts';
import { latencyOf } from '../load/latency.ts';
import { answerText, curlLines } from './curl-lines.ts';
import type { Step } from './step.ts';
import { stepLines } from './step-lines.ts';

describe('a transcript', () => {
  test('shows a request as a command, its answer, and a sentence about it', () => {
    const request = {
      method: 'POST',
      path: '/test/sensor/temperature',
      headers: { Authorization: 'Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln' },
    };
    const curl = curlLines('http://localhost:8000', request);
    const answer = '{"test_id":"1","status":"processing"}';

    assert.deepEqual(
      shown(
        { kind: 'said', atMs: 0, text: 'Try sensor test' },
        { kind: 'requested', atMs: 40, curl, status: 202, answer, tookMs: 12.3 },
        { kind: 'checked', atMs: 60, sentence: 'Works with JWT fallback!', ok: true },
      ),
      [
        't=0.0s    # Try sensor test',
        't=0.0s    curl -X POST http://localhost:8000/test/sensor/temperature \\',
        '            -H "Authorization: Bearer <token>"',
        '          → 202 {"test_id":"1","status":"processing"}   (12 ms)',
        't=0.1s    ✅ Works with JWT fallback!',
      ],
    );
  });

  test('shows what went wrong with what was seen', () => {
    assert.deepEqual(
      shown(
        { kind: 'checked', atMs: 1_000, sentence: 'Two is three.', ok: false, seen: '2' },
        {
          kind: 'waited',
          atMs: 9_000,
          sentence: 'It comes.',
          ok: false,
          tookMs: 8_000,
          missing: 'it',
        },
        { kind: 'failed', atMs: 125_000, problem: 'Gave up.' },
        { kind: 'mended', atMs: 125_000, how: 'holdfast start a', problem: 'no such file' },
      ),
      [
        't=1.0s    ❌ Two is three.',
        '          seen: 2',
        't=9.0s    ❌ Not within 8,000 ms: It comes.',
        '          seen: it',
        't=125.0s  ❌ Gave up.',
        't=125.0s  holdfast start a',
        '          ❌ That did not work: no such file',
      ],
    );
  });

  test('shows a load by status, outcome and latency', () => {
    const latency = latencyOf(Array.from({ length: 100 }, (_, i) => i + 1));
    const summary = {
      ...{ sent: 100, accepted: 97, refused: 1, unknown: 2, skipped: 3, tookMs: 1_234 },
      statuses: { '202': 97, none: 3 },
      latency,
    };

    assert.deepEqual(shown({ kind: 'loaded', atMs: 0, what: '100 requests at once', summary }), [
      't=0.0s    100 requests at once',
      '          → 100 sent in 1,234 ms: 202 × 97, none × 3',
      '          accepted 97 · refused 1 · without a clear answer 2 · not sent 3',
      '          latency p50 50 ms · p95 95 ms · p99 99 ms · max 100 ms',
    ]);
  });

  test('never shows a token that an answer contains', () => {
    const token = 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl';
    const text = `{"access_token": "${token}","token_type":"bearer"}`;

    assert.equal(
      answerText({ ...ANSWERED, text }),
      '{"access_token": "<token>","token_type":"bearer"}',
    );
  });

  test('shortens a long answer and says why there was none', () => {
    assert.equal(answerText({ ...ANSWERED, text: 'x'.repeat(1_000) }).length, 801);
    assert.equal(answerText({ ...ANSWERED, status: 0, problem: 'reset' }), 'reset');
  });
});

describe('latencyOf', () => {
  test('is all zero when nothing was measured', () => {
    assert.deepEqual(latencyOf([]), { p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  test('gives durations that occurred, in whatever order they came', () => {
    assert.deepEqual(latencyOf([30, 10, 20]), { p50Ms: 20, p95Ms: 30, p99Ms: 30, maxMs: 30 });
  });
});

const ANSWERED: Answer = {
  status: 200,
  headers: {},
  text: '',
  json: {},
  tookMs: 1,
  reached: true,
};

const shown = (...steps: readonly Step[]): readonly string[] => steps.flatMap(stepLines);
