/**
 * A drill that kills the stand-in and then waits for ever, for run-drills.test.ts
 * to press Ctrl-C on. Says `killed`, and at the end whether the stand-in runs.
 */
import { join } from 'node:path';
import { runDrills } from '../run/run-drills.ts';
import { startStandIn } from './start-stand-in.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const standIn = await startStandIn('durable');
const report = await runDrills({
  drills: [
    {
      name: 'endless',
      promise: 'waits with the service down.',
      async script(run) {
        await run.kill('service');
        say('killed');
        await run.waitUntil('This never happens.', async () => false);
      },
    },
  ],
  world: async () => standIn,
  witness: () => standIn.witness,
  control: standIn.control,
  baseUrl: standIn.baseUrl,
  directory: join(standIn.directory, 'runs'),
  print: say,
});
const [service] = await standIn.control.ps();
say(`service is ${service?.state}`);
await standIn.stop();
process.exitCode = report.exitCode;
