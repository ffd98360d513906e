import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../testing/temp-dir.ts';

const PROGRAM = fileURLToPath(new URL('./failing-disk-process.ts', import.meta.url));

test('a write the operating system refuses (ulimit -f) is an I/O error: refused, and what was accepted is there', {
  skip: process.platform === 'win32' ? 'ulimit is POSIX' : false,
}, async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const command = `ulimit -f 4000; exec "$0" --conditions=source "$1" "$2"`;

  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    command,
    process.execPath,
    PROGRAM,
    path,
  ]);
  const { accepted, code, message } = JSON.parse(stdout);
  const database = new DatabaseSync(path);
  t.after(() => database.close());
  const kept = database.prepare('SELECT count(*) AS kept FROM message').get()?.kept;

  assert.equal(code, 'OUTBOX_UNAVAILABLE');
  assert.match(message, /outbox\.db (could not be read or written|has no room to grow)/);
  assert.ok(accepted > 10, `${accepted} were accepted first`);
  assert.equal(kept, accepted);
});
