import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { recovered, steadyState, withTraffic } from './steady-state.ts';

export const broker: Drill<Platform> = {
  name: 'broker',
  promise: 'without the broker, tests go on and their events wait on disk.',
  async script(run, platform) {
    await steadyState(run, platform);
    const name = await platform.brokerName();
    const before = await platform.successful();
    const traffic = await withTraffic(run, platform);

    run.say('Kill the broker');
    await run.kill(name);

    run.say('Try a sensor test');
    const test = await run.submit(platform.sensorTest);
    run.check('Still works!', test.status === 202 && test.json.status === 'processing', test.text);
    await run.waitUntil('Twenty events wait.', async () => {
      const { json, text } = await run.http.send(platform.stats);
      return Number(json.queued) >= 20 || text;
    });

    run.say('Check the stats');
    const stats = await run.request(platform.stats);
    run.check('Events queued for later.', Number(stats.json.queued) >= 20, stats.text);

    run.say('Start the broker');
    await run.start(name);
    const eventsFlow = async () => (await platform.successful()) > before + 20;
    await recovered(run, platform, eventsFlow);
    const { sent, accepted } = await traffic.stop();
    run.check('Nobody noticed anything at the gateway.', accepted === sent, { sent, accepted });

    const after = await run.request(platform.stats);
    run.check('Queued events sent!', Number(after.json.successful) > before + 20, after.text);
  },
};
