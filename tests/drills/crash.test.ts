import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/drill.ts', import.meta.url));

test('the crash drill ends with 0 and books that balance, and with 2 for a phase that is not there', async () => {
  const held = await drill('--kills', '4', '--seed', '3', '--phase', 'replay,relay');
  const unknown = await drill('--phase', 'meteor');
  const many = await drill('--kills', 'many');

  assert.equal(held.status, 0, held.out);
  assert.match(held.out, /^✅ replay .* lost 0 /m);
  assert.match(held.out, /^✅ The books balance\. seed 3: kills \d+ · accepted \d+/m);
  assert.equal(unknown.status, 2);
  assert.match(unknown.out, /There is no phase called "meteor"\.[\s\S]*power +power cuts/);
  assert.deepEqual(many, {
    status: 2,
    out: '--kills must be a whole number from 1 to 100000, not many.\n',
  });
});

function drill(...args: string[]): Promise<{ readonly status: number; readonly out: string }> {
  return new Promise((resolve) => {
    const command = ['--conditions=source', SCRIPT, 'crash', ...args];
    execFile(process.execPath, command, (error, out) => {
      resolve({ status: error === null ? 0 : Number(error.code), out });
    });
  });
}
