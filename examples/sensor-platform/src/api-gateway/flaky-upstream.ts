import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Random } from '@holdfast/core';

/**
 * An outside dependency to look at, on this machine: of ten requests four get
 * 503, one gets no answer for ten seconds, and five get what they asked for.
 */
export async function startFlakyUpstream(env: {
  readonly clock: Clock;
  readonly random: Random;
}): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_request, response) => {
    const chance = env.random.next();
    if (chance < 0.1) {
      const late = env.clock.timer(10_000, () => response.end());
      response.once('close', () => late.cancel());
      return;
    }
    const good = chance >= 0.5;
    response.writeHead(good ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(good ? { weather: 'fair' } : { error: 'out of order' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
