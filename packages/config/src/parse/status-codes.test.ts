import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRPC_CODES, HTTP_CODES, parseStatusCodes, statusMatcher } from './status-codes.ts';

test('codes and ranges are read with the letter of the grammar of Dapr', () => {
  assert.deepEqual(parseStatusCodes('429,500-599,,502', HTTP_CODES), {
    ranges: [
      { first: 429, last: 429 },
      { first: 500, last: 599 },
      { first: 502, last: 502 },
    ],
  });
  const faults = ['500, 503', '500-502-503', '599-500', '99', '600', '5xx', '500-', '-500'];
  assert.deepEqual(
    faults.map((text) => parseStatusCodes(text, HTTP_CODES)),
    [
      { fault: '" 503" has a space, which Dapr does not skip' },
      { fault: '"500-502-503" has more than one dash' },
      { fault: '"599-500" ends before it begins' },
      { fault: '99 is no HTTP status, which is 100 to 599' },
      { fault: '600 is no HTTP status, which is 100 to 599' },
      { fault: '"5xx" is not a code or first-last' },
      { fault: '"500-" is not a code or first-last' },
      { fault: '"-500" is not a code or first-last' },
    ],
  );
});

test('each protocol has its own list; where there is none every code is retried', () => {
  const ranges = (text: string, space: typeof HTTP_CODES) => {
    const parsed = parseStatusCodes(text, space);
    return 'fault' in parsed ? assert.fail(parsed.fault) : parsed.ranges;
  };
  const both = statusMatcher(ranges('500-599', HTTP_CODES), ranges('4,8-14', GRPC_CODES));
  const codes = [0, 4, 5, 14, 16, 17, 99, 100, 404, 500, 599, 600];
  assert.deepEqual(codes.filter(both), [4, 14, 500, 599]);

  const any = statusMatcher(ranges('', HTTP_CODES), ranges('', GRPC_CODES));
  assert.deepEqual(codes.filter(any), [0, 4, 5, 14, 16, 100, 404, 500, 599]);

  const none = statusMatcher(ranges(',', HTTP_CODES), undefined);
  assert.deepEqual(codes.filter(none), [0, 4, 5, 14, 16], 'a list of nothing allows nothing');
});
