import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { unprivilegedAccount } from './account.ts';
import { makeHome, removeHome } from './home.ts';

const account = unprivilegedAccount('');
const skip = process.getuid?.() === 0 ? false : 'nobody but root may give a folder away';

test('who is not root has the database where everything else is', async (t) => {
  const { directory, native } = await folders(t);

  assert.deepEqual(await makeHome(directory, native, undefined), {
    data: join(directory, 'data'),
    native,
  });
});

test('where the unprivileged account cannot pass, data and programs live elsewhere, and are found and removed again', {
  skip,
}, async (t) => {
  const { directory, native, folder } = await folders(t);
  await chmod(folder, 0o700);

  const first = await makeHome(directory, native, account);
  const again = await makeHome(directory, native, account);
  const copied = existsSync(join(first.native, 'bin', 'postgres'));
  await removeHome(directory);

  assert.deepEqual(
    {
      elsewhere: !first.data.startsWith(folder),
      copied,
      again,
      left: existsSync(first.native) || existsSync(directory),
    },
    { elsewhere: true, copied: true, again: first, left: false },
  );
});

test('where the account can pass, nothing is moved', { skip }, async (t) => {
  const { directory, native, folder } = await folders(t);
  await chmod(folder, 0o755);

  assert.deepEqual(await makeHome(directory, native, account), {
    data: join(directory, 'data'),
    native,
  });
});

/** A place for a home, and something that looks like PostgreSQL's programs. */
async function folders(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'home-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const native = join(folder, 'native');
  for (const part of ['bin', 'share/postgresql'])
    await mkdir(join(native, part), { recursive: true });
  await writeFile(join(native, 'bin', 'postgres'), '', { mode: 0o755 });
  await writeFile(join(native, 'share/postgresql/postgres.bki'), '');
  return { folder, native, directory: join(folder, 'state', 'database') };
}
