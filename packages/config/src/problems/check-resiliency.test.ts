import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResiliency } from '../parse/parse-resiliency.ts';
import { checkResiliency } from './check-resiliency.ts';

test('what a deadline ends has an end, without a timeout and with endless retries', () => {
  assert.deepEqual(rulesBroken('deadlines: { total: 5s }'), []);
});

test('a deadline of 0 ends nothing', () => {
  assert.deepEqual(rulesBroken('deadlines: { total: 0 }'), ['no-timeout', 'endless-retries']);
});

function rulesBroken(deadlines: string): readonly string[] {
  const { documents, problems } = parseResiliency(
    `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: shop }
spec:
  policies:
    retries: { endless: { duration: 1s } }
    ${deadlines}
  targets:
    apps: { stock: { retry: endless, deadline: total } }
`,
    'shop.yaml',
  );
  return [...problems, ...checkResiliency(documents)].map(({ rule }) => rule);
}
