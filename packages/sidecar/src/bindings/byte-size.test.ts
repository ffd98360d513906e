import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteSize } from './byte-size.ts';

test('a size is a quantity as Kubernetes has it', () => {
  const sizes = ['0', '-1', '100', '1.5Ki', '5M', '2Ti', '1P', '2e6', '1E3', 'x', '5 M', '5Mb', ''];
  assert.deepEqual(sizes.map(byteSize), [
    ...[0, -1, 100, 1_536, 5e6, 2 * 1024 ** 4, 1e15, 2e6, 1_000],
    ...[undefined, undefined, undefined, undefined],
  ]);
});
