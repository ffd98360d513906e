import type { Server } from 'node:net';

/** A port that another process holds. Nothing of the sidecar was left running. */
export class PortTakenError extends Error {
  readonly code = 'PORT_TAKEN';
  readonly port: number;
  /** The flag that asks for this port; another number there is the remedy. */
  readonly flag: string;

  constructor(port: number, flag: string, host: string, cause: unknown) {
    super(
      `Port ${port} on ${host}, asked for by ${flag}, is taken by another process; give ${flag} another number.`,
      { cause },
    );
    this.name = 'PortTakenError';
    this.port = port;
    this.flag = flag;
  }
}

/** Listens, and says which port it became. */
export function listen(server: Server, host: string, port: number, flag: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(port, flag, host, error) : error);
    server.once('error', failed);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
