import { systemClock } from '@holdfast/core';

/**
 * Asks again until `question` says something true. The bound is generous, so
 * that no test depends on speed; after it the last answer or error is passed on.
 */
export async function eventually<T>(question: () => Promise<T>, forMs = 20_000): Promise<T> {
  const untilMs = systemClock.now() + forMs;
  for (;;) {
    try {
      const answer = await question();
      if (answer || systemClock.now() > untilMs) return answer;
    } catch (error) {
      if (systemClock.now() > untilMs) throw error;
    }
    await systemClock.sleep(50);
  }
}
