import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExposition } from './parse-exposition.ts';

const head = '# HELP a b\n# TYPE a counter\n';
const histogram = '# HELP h b\n# TYPE h histogram\n';

test('each rule of the format is held against text that breaks it', () => {
  const broken = {
    'no line break at the end': `${head}a 1`,
    'sample before its family': 'a 1\n',
    'family twice': `${head}a 1\n${head}a 2\n`,
    'sample twice': `${head}a{x="1"} 1\na{x="1"} 2\n`,
    'foreign sample': `${head}b 1\n`,
    'label not escaped': `${head}a{x="1"2"} 1\n`,
    'labels out of order': `${head}a{y="1",x="1"} 1\n`,
    'no number': `${head}a one\n`,
    'type without help': '# TYPE a counter\na 1\n',
    'count is not +Inf': `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`,
    'no +Inf': `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`,
    'buckets fall': `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
  };
  for (const [rule, text] of Object.entries(broken)) {
    assert.throws(() => parseExposition(text), Error, rule);
  }
});

test('what keeps the rules is read', () => {
  assert.deepEqual(parseExposition(`${head}a{x="1"} 1\na 2.5\n`), {
    a: { help: 'b', type: 'counter', samples: { 'a{x="1"}': 1, a: 2.5 } },
  });
});
