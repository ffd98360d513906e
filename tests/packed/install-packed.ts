import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** Builds and packs core as it is published, and installs that into a new folder of a user's: its path. */
export async function installPacked(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-packed-'));
  await run(process.execPath, ['--conditions=source', 'scripts/build.ts', 'core'], { cwd: root });
  const core = join(root, 'packages', 'core');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: core,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  const flags = ['--no-audit', '--no-fund', '--offline'];
  await run('npm', ['install', ...flags, join(folder, filename)], { cwd: folder });
  return folder;
}
