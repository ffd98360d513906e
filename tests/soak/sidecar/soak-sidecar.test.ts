import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soakSidecar } from './soak-sidecar.ts';
import { verdict } from './verdict.ts';

const linux = process.platform === 'linux';

test('two sidecars at 70 % of what they carry lose no answer while their application is killed, and serve when it is back', {
  skip: linux ? false : 'what a process weighs is read from /proc',
}, async () => {
  const soak = await soakSidecar(2, 3_000);
  const { faults } = verdict(soak);
  assert.deepEqual(faults, []);
  // A run that saw no outage proves nothing.
  const refused = [...soak.refused.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(refused > 0, 'nothing was refused while the application was away');
  assert.ok(soak.good > refused / 10, `${soak.good} good, ${refused} refused`);
});
