import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { steadyState } from './steady-state.ts';

const REQUESTS = 1_000;

export const load: Drill<Platform> = {
  name: 'load',
  promise: '1,000 requests at once are all accepted, and all completed.',
  async script(run, platform) {
    await steadyState(run, platform);
    const { end: mark } = await platform.delivered('');

    const { accepted, statuses } = await run.burst(platform.sensorTest, REQUESTS);
    run.check('All return "processing", none is refused.', accepted === REQUESTS, statuses);

    await run.waitUntil('All 1,000 tests are completed.', async () => {
      const { events } = await platform.delivered(mark);
      const completed = events.filter(({ type }) => type === 'sensor.test.completed');
      const { size } = new Set(completed.map(({ id }) => id));
      return size === REQUESTS || `${size} completed`;
    });
    const health = await run.request(platform.health);
    run.check('No timeouts, no crashes!', health.json.status === 'healthy');
  },
};
