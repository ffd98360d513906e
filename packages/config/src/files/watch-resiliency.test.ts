import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import { formatProblem } from '../problems/problem.ts';
import { timeoutFile, workspace } from '../testing/workspace.ts';
import { loadResiliency } from './load-resiliency.ts';
import { type WatchOptions, watchResiliency } from './watch-resiliency.ts';

describe('watchResiliency', () => {
  test('tells of a file that was written, replaced, or linked elsewhere', async (t) => {
    const { write, at } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const told = await watching(t, [file]);

    await writeFile(file, timeoutFile('a', '2s'));
    await told.until('2000');
    await write('a.yaml', timeoutFile('a', '3s'));
    await told.until('3000');
    await mkdir(at('v2'));
    await write('v2/a.yaml', timeoutFile('a', '4s'));
    await unlink(file);
    await symlink(at('v2/a.yaml'), file);
    await told.until('4000');
    await write('v2/a.yaml', timeoutFile('a', '5s'));
    await told.until('5000');
  });

  test('tells of a directory behind a link that is turned, as Kubernetes does', async (t) => {
    const { directory, write, at } = await workspace(t);
    for (const [version, limit] of [
      ['v1', '1s'],
      ['v2', '2s'],
    ] as const) {
      await mkdir(at(version));
      await write(`${version}/a.yaml`, timeoutFile('a', limit));
    }
    await mkdir(at('mount'));
    await symlink(at('v1'), at('mount/..data'));
    await symlink('..data/a.yaml', at('mount/a.yaml'));
    const told = await watching(t, [at('mount')]);

    await symlink(at('v2'), at('mount/..new'));
    await rename(at('mount/..new'), at('mount/..data'));
    await told.until('2000');
    await rm(at('mount'), { recursive: true });
    await told.until(`broken ${directory}/mount:1:1 error not-found: does not exist.`);
    await mkdir(at('mount'));
    await write('mount/b.yaml', timeoutFile('b', '3s'));
    await told.until('3000');
  });

  test('a broken file changes nothing and is reported once; the mended one is taken', async (t) => {
    const { directory, write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const told = await watching(t, [directory]);

    await write('a.yaml', timeoutFile('a', '2 sec'));
    const broken = `broken ${file}:8:29 error bad-duration: timeouts.DefaultTimeoutPolicy is "2 sec", which has the unit " sec", which is not one; did you mean \`2s\`?`;
    await told.until(broken);
    await write('a.yaml', timeoutFile('a', '2s'));
    await told.until('2000');
    assert.deepEqual(told.news, [broken, '2000']);
  });

  test('an emptied file, as some editors make for a moment, takes no policy away', async (t) => {
    const { write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const told = await watching(t, [file], { emptiedMs: 600_000 });
    await write('a.yaml', '');
    await write('a.yaml', timeoutFile('a', '2s'));
    await told.until('2000');
    assert.deepEqual(told.news, ['2000']);
  });

  test('a file that stays empty has no policies', async (t) => {
    const { write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const told = await watching(t, [file], { emptiedMs: 50 });
    await write('a.yaml', '');
    await told.until('undefined');
    await write('a.yaml', timeoutFile('a', '2s'));
    await told.until('2000');
  });

  test('what is lax, but loads, is taken; strict refuses it', async (t) => {
    const { write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const lax = await watching(t, [file]);
    const strict = await watching(t, [file], { strict: true });
    await write(
      'a.yaml',
      timeoutFile('a', '2s').replace('  policies', '  polices: {}\n  policies'),
    );
    await lax.until('2000');
    const line = `broken ${file}:6:3 error unknown-key: spec has no key "polices"; it has no effect; did you mean \`policies\`?`;
    await strict.until(line);
  });

  test('a file that was touched, or changed while it was not looked, is compared by content', async (t) => {
    const { write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const current = await loadResiliency([file]);
    await write('a.yaml', timeoutFile('a', '2s'));
    const told = await watching(t, [file], { current });
    await told.until('2000');
    await write('a.yaml', timeoutFile('a', '2s'));
    await write('a.yaml', timeoutFile('a', '3s'));
    await told.until('3000');
    assert.deepEqual(told.news, ['2000', '3000']);
  });

  test('what changes while it begins to watch is told without waiting for the poll', async (t) => {
    const { at, write } = await workspace(t);
    for (let turn = 0; turn < 20; turn += 1) {
      await mkdir(at(`${turn}`));
      await write(`${turn}/a.yaml`, timeoutFile('a', '1s'));
      const watch = await watching(t, [at(`${turn}`)], { pollMs: 600_000 });
      // Its first steps take a few turns of the loop: each is met.
      for (let steps = 0; steps < turn; steps += 1) await new Promise(setImmediate);
      await write(`${turn}/a.yaml`, timeoutFile('a', '2s'));
      await watch.until('2000');
    }
  });

  test('leaves no timer behind, and says nothing after it was closed', async (t) => {
    const { write } = await workspace(t);
    const file = await write('a.yaml', timeoutFile('a', '1s'));
    const clock = new VirtualClock();
    const news: unknown[] = [];
    const tell = (what: unknown) => news.push(what);
    const watch = watchResiliency([file], { clock }, tell, tell);
    assert.equal(clock.pendingTimers, 1, 'the poll');
    await clock.advance(20_000);
    watch.close();
    watch.close();
    await write('a.yaml', timeoutFile('a', '2s'));
    await clock.advance(20_000);
    assert.deepEqual([clock.pendingTimers, news], [0, []]);
  });
});

/** Watches with the real clock, and waits as long as it takes for what is expected. */
async function watching(t: TestContext, paths: readonly string[], options: WatchOptions = {}) {
  const news: string[] = [];
  const current = options.current ?? (await loadResiliency(paths));
  const watch = watchResiliency(
    paths,
    { settleMs: 20, pollMs: 500, current, ...options },
    ({ policies }) => news.push(String(policies.forApp('any').timeoutMs)),
    (problems) => news.push(`broken ${problems.map(formatProblem).join(' ')}`),
  );
  t.after(() => watch.close());
  return {
    news,
    until: (expected: string) =>
      until(
        () => `${expected} is told last, after ${JSON.stringify(news)}`,
        () => news.at(-1) === expected,
      ),
  };
}
