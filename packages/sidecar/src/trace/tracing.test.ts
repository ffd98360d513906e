import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import { formatTraceparent } from '@holdfast/core/trace';
import { createTracing, logIds, type Span, traceFacts } from './tracing.ts';

const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const said = (span: Span | undefined): string =>
  span === undefined ? '' : formatTraceparent(span);

test('a trace goes on as it came where nobody is sent spans, and with an id of ours where a rate is said', () => {
  const options = { samplingRate: 1, random: seededRandom(1), clock: systemClock, sink: undefined };
  const seen = [true, false].map((transparent) =>
    said(createTracing({ ...options, transparent }).begin('x', 'server', GIVEN, 'a=b')),
  );
  assert.equal(seen[0], GIVEN);
  assert.notEqual(seen[1], GIVEN);
  assert.equal(seen[1]?.slice(0, 36), GIVEN.slice(0, 36));
});

test('a trace begins here where a rate is said; where nobody is sent spans, all is in none', () => {
  const options = { samplingRate: 1, random: seededRandom(1), clock: systemClock, sink: undefined };
  const begun = [false, true].map((transparent) =>
    createTracing({ ...options, transparent }).begin('x', 'server', undefined, undefined),
  );
  assert.match(said(begun[0]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(said(begun[1]), '00-00000000000000000000000000000000-0000000000000000-00');
  assert.deepEqual(traceFacts(begun[1]), { traceparent: '', tracestate: '' });
  assert.deepEqual(
    begun.map((span) => Object.keys(logIds(span))),
    [['trace_id', 'span_id'], []],
  );
});
