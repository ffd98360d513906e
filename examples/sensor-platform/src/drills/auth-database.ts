import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { logsIn, recovered, steadyState, withTraffic } from './steady-state.ts';

/** Not the service is killed, as in `auth`, but the database it depends on. */
export const authDatabase: Drill<Platform> = {
  name: 'auth-database',
  promise: 'without its database, auth-service says so and lives, and tokens stay good.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);
    const before = await platform.pid('auth-service');

    run.say('Kill the database of auth');
    await run.kill('auth-postgres');

    run.say('Try to log in, more often than its circuit has patience');
    for (let n = 1; n <= 4; n += 1) {
      const login = await run.request(platform.login);
      run.check('503, not a crash.', login.status === 503, `${login.status} ${login.text}`);
    }

    run.say('Try a sensor test with the token from before');
    const test = await run.submit(platform.sensorTest);
    run.check('The system continues working!', test.status === 202, test.text);

    run.say('Start the database');
    await run.start('auth-postgres');
    await recovered(run, platform, logsIn(run, platform));
    run.check('auth-service lived all the time.', (await platform.pid('auth-service')) === before);
    const { sent, accepted } = await traffic.stop();
    run.check('Whoever had a token noticed nothing.', accepted === sent, { sent, accepted });
  },
};
