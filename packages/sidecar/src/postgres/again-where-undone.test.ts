import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { againWhereUndone } from './again-where-undone.ts';
import { postgresWords } from './postgres-words.ts';

describe('what PostgreSQL has undone for the sake of another', () => {
  test('is done again after growing pauses', async () => {
    assert.deepEqual(await play(['40001', '40P01', '40001']), {
      outcome: 'done',
      atMs: [0, 10, 30, 70],
    });
  });

  test('is told after three times', async () => {
    assert.deepEqual(await play(['40001', '40001', '40001', '40P01']), {
      outcome: 'ERROR: undone (SQLSTATE 40P01)',
      atMs: [0, 10, 30, 70],
    });
  });

  test('and what it has refused is not done again, nor what nobody waits for', async () => {
    assert.deepEqual(
      [await play(['23505']), await play(['40001', '40001'], 15)],
      [
        { outcome: 'ERROR: undone (SQLSTATE 23505)', atMs: [0] },
        { outcome: 'gone', atMs: [0, 10] },
      ],
    );
  });
});

/** Fails so often, with these codes; nobody waits for it from some time on. */
async function play(codes: readonly string[], goneAtMs?: number) {
  const clock = new VirtualClock();
  const client = new AbortController();
  if (goneAtMs !== undefined) clock.timer(goneAtMs, () => client.abort(new Error('gone')));
  const atMs: number[] = [];
  const work = async () => {
    const code = codes[atMs.length];
    atMs.push(clock.now());
    if (code === undefined) return 'done';
    const refusal = Object.assign(new Error('undone'), { severity: 'ERROR', code });
    throw postgresWords(refusal, {});
  };
  const outcome = await clock.run(() =>
    againWhereUndone(work, clock, client.signal).catch(({ message }: Error) => message),
  );
  return { outcome, atMs };
}
