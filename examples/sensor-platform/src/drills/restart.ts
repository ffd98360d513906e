import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { isDrained, moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

/** Everything: broker, databases and every service. */
export const restart: Drill<Platform> = {
  name: 'restart',
  promise: 'after everything was killed and started, all is as it was.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);

    run.say('A hundred tests under way, and everything is killed');
    await run.burst(platform.sensorTest, 100);
    const everything = [
      ...(await platform.named('broker')),
      ...(await platform.named('database')),
      ...(await platform.named('service')),
    ];
    await run.kill(...everything);
    const down = await run.request(platform.health);
    run.check('Nothing answers.', down.status === 0, down.status);

    run.say('Start everything, in no particular order');
    await run.start(...everything);
    await recovered(run, platform);

    run.say('Try a sensor test');
    const test = await run.submit(platform.sensorTest);
    run.check(
      'Automatic recovery!',
      test.status === 202 && test.json.status === 'processing',
      test.text,
    );
    await moreAccepted(run, traffic, 10);
    await traffic.stop();

    run.say('Check queued events');
    await run.waitUntil('Queued events sent!', isDrained(run, platform));
    await run.request(platform.stats);
  },
};
