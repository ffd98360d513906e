import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { isDrained, moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

/** Not the broker is killed, as in `broker`, but the service that sends the events. */
export const eventService: Drill<Platform> = {
  name: 'event-service',
  promise: 'without event-service, tests are accepted and completed, and their events come later.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);

    run.say('Kill event-service');
    await run.kill('event-service');

    run.say('Try a sensor test');
    const test = await run.submit(platform.sensorTest);
    run.check('Still works!', test.status === 202 && test.json.status === 'processing', test.text);
    const id = String(test.json.test_id);
    await run.waitUntil('It completes without event-service.', async () => {
      const status = await platform.testStatus(id);
      return status === 'completed' || `${status}`;
    });

    run.say('Check the stats');
    const stats = await run.request(platform.stats);
    run.check(
      'No crash, clear error message.',
      stats.status === 503 && stats.json.error === 'event service unavailable',
      stats.text,
    );
    await moreAccepted(run, traffic, 20);

    run.say('Start event-service');
    await run.start('event-service');
    await recovered(run, platform, isDrained(run, platform));
    const { sent, accepted } = await traffic.stop();
    run.check('Nobody noticed anything at the gateway.', accepted === sent, { sent, accepted });
    await run.request(platform.stats);
  },
};
