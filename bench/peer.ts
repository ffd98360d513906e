import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PEERS = join(import.meta.dirname, 'peers');

/** Installs the peers that are too big for everybody's install, once, as their lockfile names them. */
export function installPeers(): void {
  const wanted = Object.entries(manifest(PEERS).dependencies ?? {});
  if (wanted.every(([name, version]) => peerVersion(name) === version)) return;
  console.log('installing the peers of the bench (npm ci in bench/peers) …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: PEERS,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('The peers of the bench cannot be installed; see above.');
}

/** A module of a peer, by its path below `node_modules`. Typed by what the bench calls. */
export async function peer<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(PEERS, 'node_modules', path)).href)) as T;
}

/** The version that is installed; undefined where it is not. */
export function peerVersion(name: string): string | undefined {
  const folder = join(PEERS, 'node_modules', name);
  return existsSync(join(folder, 'package.json')) ? manifest(folder).version : undefined;
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
