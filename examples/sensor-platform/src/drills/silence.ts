import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { isDrained, moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

/** The nasty kind of failure: the process lives, its connections stay open, and it says nothing. */
export const silence: Drill<Platform> = {
  name: 'silence',
  promise: 'with event-service alive and silent, tests go on, and their events come later.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);

    run.say('Stop event-service without ending it');
    await run.pause('event-service');
    const stats = await run.request(platform.stats);
    run.check('A clear answer, no hanging.', stats.status === 503, stats.text);
    await moreAccepted(run, traffic, 20);

    run.say('Let it go on');
    await run.resume('event-service');
    await recovered(run, platform, isDrained(run, platform));
    const { sent, accepted } = await traffic.stop();
    run.check('Nobody noticed anything at the gateway.', accepted === sent, { sent, accepted });
  },
};
