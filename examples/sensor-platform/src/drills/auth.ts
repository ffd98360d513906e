import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { acceptsTests, logsIn, recovered, steadyState, withTraffic } from './steady-state.ts';

export const auth: Drill<Platform> = {
  name: 'auth',
  promise: 'without auth-service nobody can log in, and whoever has a token goes on.',
  async script(run, platform) {
    await steadyState(run, platform);
    const traffic = await withTraffic(run, platform);

    run.say('Kill auth');
    await run.kill('auth-service');

    run.say('Try to log in (should fail gracefully)');
    const login = await run.request(platform.login);
    run.check(
      'No crash, clear error message.',
      login.status === 503 && login.json.error === 'auth service unavailable',
      login.text,
    );

    run.say('Try a sensor test with the token from before (should work)');
    const test = await run.submit(platform.sensorTest);
    run.check(
      'Works: the token is verified without auth-service, and the answer says so.',
      test.status === 202 && test.json.status === 'processing' && test.json.auth === 'degraded',
      test.text,
    );

    run.say('Start auth');
    await run.start('auth-service');
    await recovered(run, platform, logsIn(run, platform));
    const again = await run.request(platform.login);
    run.check('Login works again.', again.status === 200, again.text);
    await run.waitUntil('Tests are no longer degraded.', acceptsTests(run, platform));

    const { sent, accepted } = await traffic.stop();
    run.check('Whoever had a token noticed nothing.', accepted === sent, { sent, accepted });
  },
};
