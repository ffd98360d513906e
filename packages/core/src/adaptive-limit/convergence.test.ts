import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { adaptiveLimit } from './adaptive-limit.ts';

const CAPACITY = 10;
const CALLERS = 100;
const SERVICE_MS = 50;
const SECONDS = 30;

for (const algorithm of ['gradient2', 'vegas'] as const) {
  test(`${algorithm} finds about as many as the dependency can take, from a limit below it`, async () => {
    const limit = await underLoad(algorithm, 5);
    assert.ok(limit >= CAPACITY / 2 && limit <= 4 * CAPACITY, `it stands at ${limit}`);
  });
}

/** Callers that call again and again, at a dependency that beyond its capacity makes calls wait for each other. */
async function underLoad(algorithm: 'gradient2' | 'vegas', initialLimit: number) {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const policy = adaptiveLimit({ algorithm, initialLimit, minLimit: 1, maxLimit: 500 });
  const p = pipeline('p', [policy], { clock, random });
  let inside = 0;
  const serve = async () => {
    inside += 1;
    await clock.sleep(SERVICE_MS * Math.max(1, inside / CAPACITY));
    inside -= 1;
  };
  const caller = async (n: number) => {
    await clock.sleep(n % 50);
    while (clock.now() < SECONDS * 1_000) {
      await p.execute(serve).catch(() => {});
      await clock.sleep(200 + 100 * random.next());
    }
  };
  await clock.run(() => Promise.all(Array.from({ length: CALLERS }, (_, n) => caller(n))));
  return p.inspect().policies[0]?.limit?.limit ?? 0;
}
