import { after, before, describe, test } from 'node:test';
import { COMPONENTS } from '../cases/asked.ts';
import { BULK_PUBLICATIONS, PATHS } from '../cases/odd-paths.ts';
import { ETAGS, SEVERAL, STATE_BODIES } from '../cases/state-bodies.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { playCase } from '../makes/play-case.ts';

const tables = { STATE_BODIES, SEVERAL, ETAGS, PATHS, BULK_PUBLICATIONS };
await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, bodies and paths`, () => {
    let mesh: AppMesh<'caller'>;
    before(async () => {
      mesh = await startAppMesh(executable, { caller: { resources: { 'all.yaml': COMPONENTS } } });
    });
    after(() => mesh.stop());

    for (const [table, cases] of Object.entries(tables)) {
      for (const one of cases) {
        const differs = one.daprd === undefined ? '' : `; daprd differs: ${one.daprd.why}`;
        test(`${table}: ${one.name}${differs}`, () => playCase(mesh, one, make));
      }
    }
  });
}
