import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface RabbitServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
  /** All that it keeps, for a backup while it is down. */
  readonly folder: string;
  /** What `rabbitmqctl` says to its arguments; rejects where it fails. */
  control(...args: readonly string[]): Promise<string>;
}

/** The script of the package itself; the one on the path changes the user first. */
const SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl';

interface RabbitSettings {
  /** Lines of `rabbitmq.conf`. */
  readonly lines?: readonly string[];
  /** Those that come with it. */
  readonly plugins?: readonly string[];
}

/**
 * A RabbitMQ node of its own that takes messages up to 1 MiB. `kept` is a folder for what it keeps,
 * which stays when the node is removed: another node there finds it, on whatever port.
 */
export async function rabbitServer(
  kept?: string,
  { lines = [], plugins = [] }: RabbitSettings = {},
): Promise<RabbitServer | Unavailable> {
  const epmd = findProgram('epmd');
  if (findProgram('rabbitmq-server') === undefined || epmd === undefined) {
    return new Unavailable('RabbitMQ', 'rabbitmq-server');
  }
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rabbitmq-'));
  const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  await writeFile(
    join(folder, 'rabbitmq.conf'),
    [`listeners.tcp.1 = 127.0.0.1:${port}`, 'log.console = true', 'max_message_size = 1048576']
      .concat(lines, '')
      .join('\n'),
  );
  await writeFile(join(folder, 'plugins'), `[${plugins.join(',')}].`);
  const data = join(kept ?? folder, 'data');
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(epmdPort),
    // What it keeps is under its name. Its port mapper is its own: nobody else has that name there.
    RABBITMQ_NODENAME: 'holdfast@localhost',
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    // Has the script become the node, so that the pid is the node's.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
  // A node that finds no such daemon starts one that outlives it: this one is ours to end.
  const names = await startServer({
    name: "Erlang's port mapper",
    command: epmd,
    args: ['-port', String(epmdPort), '-address', '127.0.0.1'],
    port: epmdPort,
    options: { env },
  });
  const server = await startServer({
    name: 'RabbitMQ',
    command: SCRIPT,
    args: [],
    port,
    options: { cwd: folder, env },
    cleanUp: async () => {
      await names.remove();
      await rm(folder, { recursive: true, force: true });
    },
  }).catch(async (error: unknown) => {
    await names.remove();
    throw error;
  });
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  return {
    process: server,
    port,
    url,
    folder: data,
    async control(...args) {
      const { stdout } = await promisify(execFile)(CONTROL, args, { env });
      return stdout;
    },
  };
}
