import { after, before, describe, test } from 'node:test';
import { bothMakes, type Make } from './both-makes.ts';
import type { Case } from './case.ts';
import { corsAll, corsNone, corsSome } from './cases/cors.ts';
import { type EchoApp, startEchoApp } from './echo-app.ts';
import { type Flagged, startFlagged } from './flagged.ts';
import { playCase } from './play-case.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  const cors: readonly [string, string, Record<string, string>, readonly Case<never>[]][] = [
    ['for some', 'http://a.example,https://*.b.example', {}, corsSome],
    ['for all', 'http://b.example,*', { DAPR_API_TOKEN: 'open-sesame' }, corsAll],
    ['for nobody', '', {}, corsNone],
  ];
  for (const [whom, origins, env, cases] of cors) {
    describe(`${make}, --allowed-origins ${whom}`, () => {
      let app: EchoApp;
      let sidecar: Flagged;
      before(async () => {
        app = await startEchoApp();
        const flags = { 'app-port': app.port, 'allowed-origins': origins };
        sidecar = await startFlagged(executable, { flags, env });
      });
      after(async () => {
        await sidecar.stop();
        await app.close();
      });
      for (const one of cases) {
        const differs = one.daprd === undefined ? '' : `; daprd differs: ${one.daprd.why}`;
        test(`${one.name}${differs}`, () =>
          playCase({ app, port: () => sidecar.ports.http }, one, make));
      }
    });
  }
}
