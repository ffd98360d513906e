import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below those that systems give to whoever asks for any port, and to outgoing
 * connections (32,768 and up on Linux). A port from there would be given away
 * between the choice and its use, and again whenever its program is down.
 */
const FIRST_PORT = 12_000;
const LAST_PORT = 31_999;
const TRIES_PER_PORT = 1_000;

/** Whether a port can be listened on; `free` also when the address is not this machine's. */
export function portState(
  port: number,
  host = '127.0.0.1',
): Promise<'free' | 'taken' | 'forbidden'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else resolve(error.code === 'EACCES' ? 'forbidden' : 'free');
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

/**
 * That many different ports that were free a moment ago, for programs that must be told one.
 *
 * @throws {Error} when so many are taken that none is found.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries === count * TRIES_PER_PORT) {
      throw new Error(`No port from ${FIRST_PORT} to ${LAST_PORT} is free; end what holds them.`);
    }
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!found.has(port) && (await portState(port)) === 'free') found.add(port);
  }
  return [...found];
}
