import type { Drill } from '@holdfast/drill';
import type { Platform } from './platform.ts';
import { recovered, steadyState } from './steady-state.ts';

/** What "accepted" is worth: the process that said it is killed in the next moment. */
export const worker: Drill<Platform> = {
  name: 'worker',
  promise: 'a test that was accepted is completed, even if sensor-service dies right after it.',
  async script(run, platform) {
    await steadyState(run, platform);

    run.say('Fifty tests and one more, and sensor-service is killed right after the 202');
    await run.burst(platform.sensorTest, 50);
    const test = await run.submit(platform.sensorTest);
    await run.kill('sensor-service');
    run.check('It had been accepted.', test.status === 202, test.text);

    const refused = await run.submit(platform.sensorTest);
    run.check(
      'Clear error message while it is down.',
      refused.status === 503 && refused.json.error === 'sensor service unavailable',
      refused.text,
    );

    run.say('Start sensor-service');
    await run.start('sensor-service');
    await recovered(run, platform);
    const id = String(test.json.test_id);
    await run.waitUntil('The test from before completes.', async () => {
      const status = await platform.testStatus(id);
      return status === 'completed' || `${status}`;
    });
    const status = await run.request({ path: `/test/${id}` });
    run.check('With its result.', status.json.result !== undefined, status.text);
  },
};
