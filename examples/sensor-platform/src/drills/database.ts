import type { Answer, Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

export const database: Drill<Platform> = {
  name: 'database',
  promise: 'without its database, sensor-service says so and lives.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);
    const before = await platform.pid('sensor-service');

    run.say('Kill the database');
    await run.kill('sensor-postgres');

    run.say('Try a sensor test, more often than its circuit has patience');
    for (let n = 1; n <= 4; n += 1) {
      const test = await run.submit(platform.sensorTest);
      run.check(
        'Graceful error, no crash!',
        test.status === 503 && test.json.error === 'Database unavailable',
        test.text,
      );
    }

    run.say('Check health');
    const health = await run.request(platform.health);
    run.check('Clear visibility: the database is down, the services are up.', isClear(health));

    run.say('Start the database');
    await run.start('sensor-postgres');
    await recovered(run, platform);
    await moreAccepted(run, traffic, 10);
    await traffic.stop();
    const after = await platform.pid('sensor-service');
    run.check('sensor-service lived all the time.', after === before, { before, after });
  },
};

function isClear({ status, json }: Answer): boolean {
  const { services = {}, checks = {} } = json as {
    readonly services?: Readonly<Record<string, string>>;
    readonly checks?: Readonly<Record<string, string>>;
  };
  const servicesUp = services.sensor === 'up' && Object.values(services).every((s) => s === 'up');
  return status === 200 && servicesUp && checks.database === 'down';
}
