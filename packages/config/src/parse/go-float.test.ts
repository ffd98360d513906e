import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goFloat } from './go-float.ts';

/** What Go's `strconv.FormatFloat(number, 'g', -1, 32)` writes. */
const WRITTEN: Readonly<Record<string, number>> = {
  '0': 0,
  '1.5': 1.5,
  '-0.25': -0.25,
  '0.1': 0.1,
  '1000': 1e3,
  '123456': 123456,
  '1e+06': 1e6,
  '1.234567e+06': 1234567,
  '1.2345679e+08': 123456789.5,
  '0.0001': 1e-4,
  '1e-05': 1e-5,
  '1e+21': 1e21,
  '+Inf': 1e39,
  '-Inf': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
};

test('numbers in a text field are written as Go writes those of 32 bits', () => {
  assert.deepEqual(
    Object.values(WRITTEN).map(goFloat),
    Object.entries(WRITTEN).map(([text]) => text),
  );
});
