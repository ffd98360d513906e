import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

/** Our own part of the platform is mortal as well. */
export const sidecar: Drill<Platform> = {
  name: 'sidecar',
  promise: "without sensor-service's sidecar, the gateway says so; then it finds it again.",
  async script(run, platform) {
    await steadyState(run, platform);
    const [name] = await platform.named('sidecar', 'sensor-service');
    if (name === undefined) throw new Error('sensor-service has no sidecar in this run.');
    const traffic = await withTraffic(run, platform);

    run.say('Kill the sidecar of sensor-service');
    await run.kill(name);
    const test = await run.submit(platform.sensorTest);
    run.check(
      'Graceful error, no crash.',
      test.status === 503 && test.json.error === 'sensor service unavailable',
      test.text,
    );
    const login = await run.request(platform.login);
    run.check('Everything else goes on.', login.status === 200, login.text);

    run.say('Start it');
    await run.start(name);
    await recovered(run, platform);
    await moreAccepted(run, traffic, 10);
    await traffic.stop();
  },
};
