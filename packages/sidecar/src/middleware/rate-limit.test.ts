import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { ComponentSettings } from '../components/component-settings.ts';
import type { Verdict } from './middleware.ts';
import { rateLimit } from './rate-limit.ts';

test('a second’s worth at once, then as fast as it comes back', async () => {
  const { ask, elapse } = limited('2');
  const seen = [ask(), ask(), ask()];
  await elapse(400);
  seen.push(ask());
  await elapse(100);
  seen.push(ask(), ask());
  await elapse(60_000);
  seen.push(ask(), ask(), ask());
  assert.deepEqual(seen, ['pass', 'pass', '429', '429', 'pass', '429', 'pass', 'pass', '429']);
});

test('a refusal says when to come back', () => {
  const { ask, answer } = limited('0.1');
  ask();
  assert.deepEqual(answer(), { status: 429, retryAfter: '10', left: '0' });
});

test('clients and paths have rates of their own; the last proxy’s word counts', () => {
  const { ask } = limited('1');
  const forwarded = (value: string) => ['x-forwarded-for', value];
  assert.deepEqual(
    [
      ask('/a', [], '1.1.1.1:5'),
      ask('/a?other', [], '1.1.1.1:6'),
      ask('/b', [], '1.1.1.1:5'),
      ask('/a', [], '2.2.2.2:5'),
      ask('/a', forwarded('3.3.3.3, 4.4.4.4'), '1.1.1.1:5'),
      ask('/a', forwarded('5.5.5.5,4.4.4.4'), '9.9.9.9:5'),
      ask('/a', ['x-real-ip', '6.6.6.6'], '1.1.1.1:5'),
      ask('/a', [], '[::1]:5'),
      ask(`/${'long'.repeat(99)}`, [], '7.7.7.7:5'),
      ask(`/${'long'.repeat(98)}`, [], '7.7.7.7:5'),
      ask(`/${'long'.repeat(99)}`, [], '7.7.7.7:5'),
      ask('/a', [], undefined),
      ask('/a', [], undefined),
    ],
    [
      'pass',
      '429',
      'pass',
      'pass',
      'pass',
      '429',
      'pass',
      'pass',
      'pass',
      'pass',
      '429',
      'pass',
      '429',
    ],
  );
});

test('however many paths are asked for, a client that keeps asking for one is remembered', () => {
  const { ask } = limited('1');
  const seen = new Set<string>();
  ask('/mine');
  for (let count = 0; count < 30_000; count += 1) {
    ask(`/other/${count}`);
    if (count % 1_000 === 0) seen.add(ask('/mine'));
  }
  assert.deepEqual([...seen], ['429']);
});

test('a rate that is none is named', () => {
  const messages = ['0', '-1', 'lots', '1e12'].map((given) => {
    try {
      limited(given);
      return 'read';
    } catch (error) {
      return (error as Error).message;
    }
  });
  const rule = 'metadata maxRequestsPerSecond must be a number above 0 and at most 1000000000, not';
  assert.deepEqual(messages, [`${rule} "0"`, `${rule} "-1"`, `${rule} "lots"`, `${rule} "1e12"`]);
});

function limited(maxRequestsPerSecond: string) {
  const clock = new VirtualClock();
  const settings = new ComponentSettings('rate', [['maxRequestsPerSecond', maxRequestsPerSecond]]);
  const { judge } = rateLimit(settings, clock);
  const say = (path = '/', headers: readonly string[] = [], from?: string) =>
    judge?.({ method: 'GET', path, headers, from }) as Verdict;
  return {
    ask: (path?: string, headers?: readonly string[], from?: string) => {
      const verdict = say(path, headers, from);
      return verdict.kind === 'pass' ? 'pass' : String(verdict.status);
    },
    answer() {
      const verdict = say();
      const header = (name: string) => verdict.headers?.[verdict.headers.indexOf(name) + 1];
      return {
        status: verdict.kind === 'answer' ? verdict.status : 200,
        retryAfter: header('retry-after'),
        left: header('ratelimit-remaining'),
      };
    },
    elapse: (ms: number) => clock.run(() => clock.sleep(ms, new AbortController().signal)),
  };
}
