import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { adaptiveLimit } from './adaptive-limit.ts';
import type { AdaptiveLimitOptions } from './options.ts';

const CAPACITY = 20;
const SERVICE_MS = 50;
const CALLERS = 215;

describe('an adaptive limit that starts at 200 in front of a capacity of 20, with all callers there at once', () => {
  for (const algorithm of ['gradient2', 'vegas'] as const) {
    test(`comes down within 30 windows and stays down: ${algorithm}`, async () => {
      const limits = await underLoad({ algorithm, initialLimit: 200, maxLimit: 400 });
      const late = limits.slice(30);
      assert.ok(Math.max(...late) <= 2 * CAPACITY, `${algorithm} stood at ${limits.join(' ')}`);
      assert.ok(Math.min(...late) >= CAPACITY / 2, `${algorithm} stood at ${limits.join(' ')}`);
    });
  }

  test('comes down within 12 windows to where calls take no longer than its time-out: aimd', async () => {
    const options = { algorithm: 'aimd', timeoutMs: 200, windowMs: 1_000 } as const;
    const limits = await underLoad({ ...options, initialLimit: 200, maxLimit: 400 });
    // 200 ms are the wait and the service of the 80th of 20 at a time.
    const late = limits.slice(12);
    assert.ok(Math.max(...late) <= 88, `it stood at ${limits.join(' ')}`);
    assert.ok(Math.min(...late) >= 64, `it stood at ${limits.join(' ')}`);
  });

  test('without probes, gradient2 goes on rising, as its formula says', async () => {
    const options = { initialLimit: 200, maxLimit: 400, probeEvery: Infinity };
    const limits = await underLoad(options, 45);
    assert.ok(limits.at(-1)! > 213, `it stood at ${limits.join(' ')}`);
  });
});

/** What the limit was at the end of each second. */
async function underLoad(options: AdaptiveLimitOptions, seconds = 50): Promise<number[]> {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const p = pipeline('p', [adaptiveLimit(options)], { clock, random });
  const serve = dependency(clock, random);
  const caller = async () => {
    while (clock.now() < seconds * 1_000) {
      await p.execute(serve).catch(() => clock.sleep(250 + 250 * random.next()));
    }
  };
  const limits: number[] = [];
  const observer = async () => {
    while (limits.length < seconds) {
      await clock.sleep(1_000);
      limits.push(p.inspect().policies[0]?.limit?.limit ?? 0);
    }
  };
  await clock.run(() => Promise.all([observer(), ...Array.from({ length: CALLERS }, caller)]));
  return limits;
}

/** Serves so many at a time; the others wait in line, first come first served. */
function dependency(clock: VirtualClock, random: { next(): number }): () => Promise<void> {
  const line: (() => void)[] = [];
  let busy = 0;
  return async () => {
    if (busy === CAPACITY) await new Promise<void>((go) => line.push(go));
    else busy += 1;
    await clock.sleep(SERVICE_MS * (0.5 + random.next()));
    const next = line.shift();
    if (next === undefined) busy -= 1;
    else next();
  };
}
