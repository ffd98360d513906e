import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { childOf, formatTraceparent, newTrace, parseTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('trace context', () => {
  test('reads what it writes', () => {
    for (const sampled of [true, false]) {
      const made = newTrace(sampled);
      assert.deepEqual(parseTraceparent(formatTraceparent(made)), made);
    }
  });

  test('reads the flags it knows and later versions as far as this one goes', () => {
    const context = { traceId: TRACE, spanId: SPAN };
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), { ...context, sampled: true });
    assert.deepEqual(parseTraceparent(` 00-${TRACE}-${SPAN}-01 `), { ...context, sampled: true });
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-02`), {
      ...context,
      sampled: false,
      random: true,
    });
    assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what-comes`), {
      ...context,
      sampled: true,
      random: true,
    });
  });

  test('says on whether an id is random, also of a span inside', () => {
    for (const flags of ['00', '01', '02', '03']) {
      const given = parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)!;
      assert.equal(formatTraceparent(given).slice(-2), flags);
      assert.equal(formatTraceparent(childOf(given)).slice(-2), flags);
    }
  });

  test('reads nothing into what breaks the rules', () => {
    const broken = [
      undefined,
      '',
      TRACE,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-0g`,
      `x00-${TRACE}-${SPAN}-01`,
      `cc-${TRACE}-${SPAN}-01more`,
      `00-${TRACE}-${SPAN}-01-`,
    ];
    assert.deepEqual(broken.map(parseTraceparent), Array(broken.length).fill(undefined));
  });

  test('gives a child the trace of its parent and a span of its own', () => {
    const parent = { ...newTrace(true), state: 'vendor=1' };
    const child = childOf(parent);
    assert.deepEqual({ ...child, spanId: parent.spanId }, parent);
    assert.match(child.spanId, /^[0-9a-f]{16}$/);
    assert.notEqual(child.spanId, parent.spanId);
  });

  test('draws ids that do not repeat', () => {
    const ids = new Set(Array.from({ length: 5_000 }, () => newTrace(false).traceId));
    assert.equal(ids.size, 5_000);
  });
});
