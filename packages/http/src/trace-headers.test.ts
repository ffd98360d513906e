import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceFrom, traceHeaders } from './trace-headers.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a trace is passed on as it came', () => {
  const headers = { traceparent, tracestate: 'vendor=1' };

  assert.deepEqual(traceHeaders(traceFrom(headers)), headers);
  assert.deepEqual(traceHeaders(traceFrom({ traceparent })), { traceparent });
});

test('no trace, a broken one and a state that is too long are left out', () => {
  const long = { traceparent, tracestate: 'x'.repeat(513) };

  assert.deepEqual(
    [{}, { traceparent: 'x' }, { tracestate: 'a=1' }, long].map((h) => traceHeaders(traceFrom(h))),
    [{}, {}, {}, { traceparent }],
  );
});
