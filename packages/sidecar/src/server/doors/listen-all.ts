import type { Server, Socket } from 'node:net';
import { listen, PortTakenError } from './listen.ts';
import { listenOnSocket } from './listen-socket.ts';
import { isLoopback } from './loopback.ts';

/** Where an API is to listen. */
export interface ListenAt {
  /** All listen on one port; 0 is any free one. One that is there twice, or in another, counts once. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** A Unix socket in place of all ports. */
  readonly socketPath?: string | undefined;
  /** Told of an address that this machine does not have, where it has another. @default nobody is */
  readonly missing?: (host: string) => void;
}

/**
 * Has a server of `open` listen at each place: at all of them or at none, but for addresses that this
 * machine does not have, as in daprd: `[::1],127.0.0.1` works without IPv6 too.
 *
 * @throws PortTakenError, SocketTakenError, NoAddressError
 */
export async function listenAll<S extends Server>(
  open: () => S,
  { hosts, missing, port, socketPath }: ListenAt,
  flag: string,
): Promise<{ readonly servers: readonly S[]; readonly port: number }> {
  if (socketPath !== undefined) {
    const server = open();
    await listenOnSocket(server, socketPath);
    return { servers: [server], port: 0 };
  }
  const servers: S[] = [];
  const heard: string[] = [];
  const absent: string[] = [];
  let found = port;
  try {
    for (const host of widestFirst(hosts)) {
      const server = open();
      server.on('connection', askWhileIdle);
      try {
        // The first decides where `port` is 0; the others follow it.
        found = await listen(server, host, found, flag);
        servers.push(server);
        heard.push(host);
      } catch (error) {
        if (isAbsent(error)) absent.push(host);
        // What is taken is taken by ourselves.
        else if (!(error instanceof PortTakenError && heard.some((one) => covers(one, host)))) {
          throw error;
        }
      }
    }
    if (servers.length === 0) throw new NoAddressError(absent, flag);
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  for (const host of absent) missing?.(host);
  return { servers, port: found };
}

/** A silent client is asked after so long whether it is there, as by Go's servers. */
const IDLE_MS = 15_000;

/** By the kernel: a client whose machine is gone says nothing, and would keep its connection, and its call, for ever. */
function askWhileIdle(socket: Socket): void {
  socket.setKeepAlive(true, IDLE_MS);
}

/** None of the addresses asked for is one of this machine. */
export class NoAddressError extends Error {
  readonly code = 'NO_ADDRESS';

  constructor(hosts: readonly string[], flag: string) {
    super(
      `The port of ${flag} cannot be listened on: this machine has no address ${hosts.join(', ')}; name one that it has (${ADDRESS_FLAGS[flag] ?? '--dapr-listen-addresses'}), or 127.0.0.1.`,
    );
    this.name = 'NoAddressError';
  }
}

/** Which flag says where a port is, for those that are not where the API is. */
const ADDRESS_FLAGS: Readonly<Record<string, string>> = {
  '--dapr-internal-grpc-port': '--dapr-internal-grpc-listen-address',
  '--dapr-public-port': '--dapr-public-listen-address',
  '--metrics-port': '--metrics-listen-address',
};

const ANY = ['::', '0.0.0.0'];

/** An address of all goes before those that it stands for as well. */
function widestFirst(hosts: readonly string[]): readonly string[] {
  const each = new Set(hosts);
  return [...ANY.filter((any) => each.has(any)), ...[...each].filter((one) => !ANY.includes(one))];
}

/** Whether who listens at `wide` hears those that come to `host`. */
function covers(wide: string, host: string): boolean {
  if (wide === '::') return true;
  if (wide === '0.0.0.0') return !host.includes(':');
  return isLoopback(wide) && isLoopback(host);
}

/** A name that leads nowhere is left out like an address that is not here, as in daprd. */
const isAbsent = (error: unknown): boolean =>
  /^(?:EADDRNOTAVAIL|EAFNOSUPPORT|ENOTFOUND|EAI_AGAIN)$/.test(
    (error as NodeJS.ErrnoException).code ?? '',
  );
