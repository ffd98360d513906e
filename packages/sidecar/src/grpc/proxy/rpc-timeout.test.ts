import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRpcTimeout } from './rpc-timeout.ts';

test('a time has a unit and up to eight digits; what setTimeout cannot wait for is none', () => {
  const seen = ['1H', '2M', '3S', '400m', '5000u', '1000000n', '0m', '99999999H', undefined];
  assert.deepEqual(
    seen.map((one) => Object.values(readRpcTimeout(one))[0]),
    [3_600_000, 120_000, 3_000, 400, 5, 1, 0, undefined, undefined],
  );
});

test('what is none is told in the words of Go’s servers', () => {
  assert.deepEqual(
    ['', '5', '123456789S', '5s', '1.5S', '-5S'].map(
      (one) => Object.values(readRpcTimeout(one))[0],
    ),
    [
      'malformed grpc-timeout: transport: timeout string is too short: ""',
      'malformed grpc-timeout: transport: timeout string is too short: "5"',
      'malformed grpc-timeout: transport: timeout string is too long: "123456789S"',
      'malformed grpc-timeout: transport: timeout unit is not recognized: "5s"',
      'malformed grpc-timeout: strconv.ParseUint: parsing "1.5": invalid syntax',
      'malformed grpc-timeout: strconv.ParseUint: parsing "-5": invalid syntax',
    ],
  );
});
