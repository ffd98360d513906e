import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** What a suite starts, written into `folder`: one file, without arguments of its own; built, for some cases count in tenths of seconds. */
export function holdfastd(folder: string): string {
  const build = [
    '--conditions=source',
    path.join(root, 'scripts/build.ts'),
    ...'core config telemetry http messaging sidecar cli'.split(' '),
  ];
  const built = spawnSync(process.execPath, build, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (built.status !== 0) throw new Error('Our packages do not build; `npm run build` says why.');
  const file = path.join(folder, 'holdfastd');
  const node = JSON.stringify(process.execPath);
  const bin = JSON.stringify(path.join(root, 'packages/cli/bin/holdfastd.mjs'));
  writeFileSync(file, `#!/bin/sh\nexec ${node} ${bin} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}
