import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loss } from './loss.ts';

test('work that ends before the loss is as it was, and leaves nothing behind', async () => {
  const loss = new Loss();
  assert.equal(await loss.or(Promise.resolve(7)), 7);
  await assert.rejects(loss.or(Promise.reject(new Error('of its own'))), /of its own/);
  assert.equal(loss.waiting, 0);
});

test('a loss ends whatever waits, and what comes after it', async () => {
  const loss = new Loss();
  const never = new Promise<never>(() => {});
  const waiting = [loss.or(never), loss.or(never)];
  loss.happen(new Error('gone'));
  loss.happen(new Error('gone again'));
  for (const each of [...waiting, loss.or(never)]) await assert.rejects(each, /gone$/);
  assert.equal(loss.waiting, 0);
});

test('work that fails after the loss is heard', async () => {
  const loss = new Loss();
  const work = Promise.withResolvers<never>();
  const waiting = loss.or(work.promise);
  loss.happen(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  work.reject(new Error('late'));
  // An unhandled rejection would fail this test.
  await new Promise((done) => setImmediate(done));
});
