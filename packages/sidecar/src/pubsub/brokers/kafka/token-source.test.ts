import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecretPlace } from './ask-token.ts';
import { tokenSource } from './token-source.ts';

test('a token is asked for once however many want it, and again when a quarter of its life is left', async () => {
  const { at, next, asked } = source({ livesMs: 100_000 });
  assert.deepEqual(await Promise.all([next(), next()]), ['token 1', 'token 1']);
  at(74_999);
  assert.equal(await next(), 'token 1');
  at(75_000);
  assert.equal(await next(), 'token 2');
  assert.equal(asked.length, 2);
});

test('one that lives shortly is good until ten seconds before its end, one without an end for ever', async () => {
  const short = source({ livesMs: 20_000 });
  await short.next();
  short.at(9_999);
  assert.equal(await short.next(), 'token 1');
  short.at(10_000);
  assert.equal(await short.next(), 'token 2');
  const endless = source({ livesMs: undefined });
  await endless.next();
  endless.at(1e12);
  assert.equal(await endless.next(), 'token 1');
});

test('where the secret is to stand is found out once, and the last refusal is told', async () => {
  const body = source({ livesMs: 1, taken: ['body'] });
  await body.next();
  await body.next();
  assert.deepEqual(body.asked, ['header', 'body', 'body']);
  const nowhere = source({ livesMs: 1, taken: [] });
  await assert.rejects(nowhere.next(), { message: 'not in the body' });
  // It may have been away: both ways are tried again.
  await assert.rejects(nowhere.next());
  assert.deepEqual(nowhere.asked, ['header', 'body', 'header', 'body']);
});

function source({
  livesMs,
  taken = ['header', 'body'],
}: {
  livesMs: number | undefined;
  taken?: readonly SecretPlace[];
}) {
  let nowMs = 0;
  const asked: SecretPlace[] = [];
  const next = tokenSource(
    async (place) => {
      asked.push(place);
      if (!taken.includes(place)) throw new Error(`not in the ${place}`);
      return { text: `token ${asked.length}`, livesMs };
    },
    ['header', 'body'],
    { now: () => nowMs },
  );
  return {
    next,
    asked,
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}
