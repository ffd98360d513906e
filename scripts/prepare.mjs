// Runs before `npm start` and `npm test`, on whatever Node is installed, with nothing installed yet:
// plain JavaScript, no dependencies. Installs what the lockfile names when that is newer than what
// is there, and makes sure that the scripts which follow find a Node that can run them.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = [22, 18];

const changedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const installed = join(root, 'node_modules', '.package-lock.json');

if (changedMs(join(root, 'package-lock.json')) > changedMs(installed)) {
  console.log('holdfast: installing what package-lock.json names (npm ci) …');
  // npm hands its own path on; a bare `npm` is for those who call this file by hand.
  const npm = process.env.npm_execpath;
  const flags = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, args] = npm ? [process.execPath, [npm, ...flags]] : ['npm', flags];
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: !npm && process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('holdfast: npm ci failed; its message is above. Nothing was started.');
    process.exit(1);
  }
}

// The runtime comes from an npm package where one fits this machine, and is then first on the path.
const brought = join(
  root,
  'node_modules',
  '.bin',
  process.platform === 'win32' ? 'node.cmd' : 'node',
);
const [major, minor] = process.versions.node.split('.').map(Number);
const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
if (!existsSync(brought) && !recent) {
  console.error(
    `holdfast: needs Node ${OLDEST_NODE.join('.')} or newer, this is ${process.versions.node}, and npm has no ` +
      `runtime package for ${process.platform}-${process.arch}. Install Node 24 and try again.`,
  );
  process.exit(1);
}

await import('./bundle.mjs');
