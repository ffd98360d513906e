import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messageTtlMs } from './message-ttl.ts';

describe('messageTtlMs', () => {
  test('is seconds, or a duration as Go writes it, under either name in any letter case', () => {
    const given = [{ ttlInSeconds: '2' }, { TTLINSECONDS: '+3' }, { ttl: '1m30s' }, { Ttl: '0' }];
    assert.deepEqual(given.map(messageTtlMs), [2_000, 3_000, 90_000, 0]);
  });

  test('is nothing where what is said is none, and is over where it is below zero', () => {
    const given = [{}, { ttl: '' }, { ttlInSeconds: '0.5' }, { ttlInSeconds: '-2' }, { ttl: 'x' }];
    assert.deepEqual(given.map(messageTtlMs), Array(5).fill(undefined));
    assert.equal(messageTtlMs({ ttl: '-1s' }), 0);
  });

  test('goes no further than Go can count', () => {
    assert.equal(messageTtlMs({ ttl: '99999999999999' }), 9_223_372_036_854);
  });
});
