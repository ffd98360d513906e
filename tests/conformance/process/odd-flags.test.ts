import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes } from '../makes/both-makes.ts';
import { type FlaggedSetup, startFlagged } from '../makes/flagged.ts';

type Row = readonly [title: string, flags: FlaggedSetup['flags']];

const TAKEN: readonly Row[] = [
  ['a protocol and a level in any letter case', { 'app-protocol': 'GRPCS', 'log-level': 'WARN' }],
  ['questions not to ask, with gaps', { 'disable-init-endpoints': ' Subscribe ,,CONFIG' }],
];

const REFUSED: readonly Row[] = [
  ['one port for the app and HTTP', { 'app-port': 3777, 'dapr-http-port': 3777 }],
  ['one port for the app and gRPC', { 'app-port': 3777, 'dapr-grpc-port': 3777 }],
  [
    'a probe that may take longer than it is to the next',
    {
      ...{ 'enable-app-health-check': true },
      'app-health-probe-interval': 1,
      'app-health-probe-timeout': 1_001,
    },
  ],
];

await bothMakes((make, executable) => {
  for (const [title, flags] of TAKEN) {
    test(`${make} starts with ${title}`, async (t) => {
      const sidecar = await startFlagged(executable, { flags });
      t.after(() => sidecar.stop());
    });
  }

  for (const [title, flags] of REFUSED) {
    test(`${make} does not start with ${title}`, async (t) => {
      const sidecar = await startFlagged(executable, { flags, wait: false });
      t.after(() => sidecar.stop());
      const [status] = await sidecar.exited;
      assert.notEqual(status, 0);
    });
  }

  test(`${make}, --components-path is heard where --resources-path is not given`, async (t) => {
    const flags = { 'components-path': '/nonexistent' };
    const sidecar = await startFlagged(executable, { flags });
    t.after(() => sidecar.stop());
    await until('it is up', () => sidecar.said() !== '');
  });
});
