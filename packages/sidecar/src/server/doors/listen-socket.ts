import { lstat, stat, unlink } from 'node:fs/promises';
import net, { type Server } from 'node:net';
import { dirname } from 'node:path';

/** A Unix socket that cannot be had. Nothing of the sidecar was left running. */
export class SocketTakenError extends Error {
  readonly code = 'SOCKET_TAKEN';
  readonly path: string;

  constructor(path: string, why: string) {
    super(
      `The Unix socket ${path} cannot be had: ${why}; give --unix-domain-socket another folder.`,
    );
    this.name = 'SocketTakenError';
    this.path = path;
  }
}

/**
 * Listens on a Unix socket, which goes when the server closes. One that a killed
 * sidecar has left behind is replaced; one that still answers, or a file that is
 * no socket, is not ours to take away.
 *
 * @throws SocketTakenError
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await clear(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function clear(path: string): Promise<void> {
  // Of a folder that is not there the system says no more than "permission denied".
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (folder?.isDirectory() !== true) throw new SocketTakenError(path, 'its folder is not there');
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw new SocketTakenError(path, 'a file of that name is no socket');
  if (await answers(path)) throw new SocketTakenError(path, 'another process listens on it');
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only a refusal says that nobody listens; what else may be wrong is no reason to take it away.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
