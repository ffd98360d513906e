import type { Server } from 'node:net';
import { listen } from './listen.ts';
import { listenOnSocket } from './listen-socket.ts';

/** Where an API is to listen. */
export interface ListenAt {
  /** All listen on one port; 0 is any free one. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** A Unix socket in place of all ports. */
  readonly socketPath?: string | undefined;
}

/** Has a server of `open` listen at each place: at all of them or at none. @throws PortTakenError, SocketTakenError */
export async function listenAll<S extends Server>(
  open: () => S,
  { hosts, port, socketPath }: ListenAt,
  flag: string,
): Promise<{ readonly servers: readonly S[]; readonly port: number }> {
  if (socketPath !== undefined) {
    const server = open();
    await listenOnSocket(server, socketPath);
    return { servers: [server], port: 0 };
  }
  const servers: S[] = [];
  let found = port;
  try {
    for (const host of hosts) {
      const server = open();
      servers.push(server);
      // The first decides where `port` is 0; the others follow it.
      found = await listen(server, host, found, flag);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return { servers, port: found };
}
