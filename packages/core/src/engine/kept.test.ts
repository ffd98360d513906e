import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { hedge } from '../hedge/hedge.ts';
import { type Pipeline, pipeline } from '../pipeline.ts';
import { retry } from '../retry/retry.ts';
import { timeout } from '../timeout/timeout.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('what a burst of calls leaves behind', () => {
  test('is of a thousand of them in one pipeline, however many there were', async () => {
    const p = named('one');
    await burst(p, 100);
    const beforeBytes = await settledHeapBytes();
    await burst(p, 5_000);
    const leftBytes = (await settledHeapBytes()) - beforeBytes;
    // 1,024 of about 900 bytes; all 5,000 would be 5 MB.
    assert.ok(leftBytes < 2e6, `${leftBytes} bytes`);
    assert.equal(await p.execute(() => 'again'), 'again');
  });

  test('is of sixteen thousand in all pipelines together', async () => {
    const pipelines = Array.from({ length: 40 }, (_, n) => named(`pipeline ${n}`));
    for (const p of pipelines) await p.execute(() => 1);
    const beforeBytes = await settledHeapBytes();
    for (const p of pipelines) await burst(p, 1_000);
    const leftBytes = (await settledHeapBytes()) - beforeBytes;
    // 16,384 of about 900 bytes; all 40,000 would be 36 MB.
    assert.ok(leftBytes < 20e6, `${leftBytes} bytes`);
    assert.equal(await pipelines[39]!.execute(() => 'again'), 'again');
    for (const p of pipelines) p[Symbol.dispose]();
  });

  for (const [end, how] of [
    ['disposed of', (p: Pipeline) => p[Symbol.dispose]()],
    ['dropped', () => {}],
  ] as const) {
    test(`does not count any more once its pipeline has been ${end}`, async () => {
      for (let n = 0; n < 20; n += 1) {
        const p = named(`${end} ${n}`);
        await burst(p, 1_000);
        how(p);
      }
      await settledHeapBytes();
      const p = named('next');
      await p.execute(() => 1);
      const beforeBytes = await settledHeapBytes();
      await burst(p, 1_000);
      const leftBytes = (await settledHeapBytes()) - beforeBytes;
      // The few that a pipeline keeps where all places are taken would be 8 kB.
      assert.ok(leftBytes > 300_000, `${leftBytes} bytes`);
      assert.equal(await p.execute(() => 'again'), 'again');
    });
  }

  test('is nothing of a pipeline that has had a single call', async () => {
    const pipelines = Array.from({ length: 2_000 }, (_, n) => named(`once ${n}`));
    const beforeBytes = await settledHeapBytes();
    for (const p of pipelines) await p.execute(() => 1);
    const leftBytes = (await settledHeapBytes()) - beforeBytes;
    // An operation each would be 1.8 MB.
    assert.ok(leftBytes < 500_000, `${leftBytes} bytes`);
    assert.equal(await pipelines[0]!.execute(() => 'again'), 'again');
  });

  test('is all let go of when its pipeline is disposed of, which may still be called', async () => {
    const p = named('disposed of');
    await p.execute(() => 1);
    const beforeBytes = await settledHeapBytes();
    await burst(p, 1_000);
    p[Symbol.dispose]();
    const leftBytes = (await settledHeapBytes()) - beforeBytes;
    assert.ok(leftBytes < 300_000, `${leftBytes} bytes`);
    assert.equal(await p.execute(() => 'again'), 'again');
  });
});

test('nothing of a call is held on to when it has ended', async () => {
  const policies = [
    fallback({ steps: [{ kind: 'default', answer: () => ({ of: 'the fallback' }) }] }),
    retry({ maxRetries: 1, delayMs: 0, jitter: 'none' }),
    hedge({ delayMs: 60_000 }),
    bulkhead({ limit: 1, queueLimit: 9 }),
    timeout({ limitMs: 60_000 }),
  ];
  const p = pipeline('p', policies, { registry: undefined });
  const calls = {
    answered: () => follow(p, () => ({ of: 'the dependency' })),
    failed: () => follow(p, () => Promise.reject(new Error('down'))),
    queued: () => follow(p, async () => ({ of: 'the dependency' })),
  };
  const followed = Object.entries(calls).map(([name, call]) => [name, call()] as const);
  const left: string[] = [];
  for (const [, { ended }] of followed) await ended;
  await settledHeapBytes();
  for (const [name, { refs }] of followed) {
    for (const [what, ref] of Object.entries(refs)) {
      if (ref.deref() !== undefined) left.push(`${what} of ${name}`);
    }
  }
  assert.deepEqual(left, []);
  assert.equal(await p.execute(() => 'again'), 'again');
});

/** A call of which nothing is kept here: neither what is given to it nor what comes of it. */
function follow(p: Pipeline, fn: () => object) {
  const run = () => fn();
  const options = {
    deadlineMs: 60_000,
    onDegraded: () => {},
    signal: new AbortController().signal,
  };
  const refs: Record<string, WeakRef<object>> = {
    run: new WeakRef(run),
    options: new WeakRef(options),
    onDegraded: new WeakRef(options.onDegraded),
  };
  const ended = p.execute(run, options).then((value) => {
    refs.value = new WeakRef(value);
  });
  return { ended, refs };
}

const named = (name: string) => pipeline(name, [retry()], { registry: undefined });

/** So many calls at the same time, all of which end. */
async function burst(p: Pipeline, calls: number): Promise<void> {
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const all = Array.from({ length: calls }, () => p.execute(() => held));
  end();
  await Promise.all(all);
}

async function settledHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}
