import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a call through the sidecar gets: a status and a body, or a connection that breaks. */
export type StandInAnswer = { readonly status: number; readonly body: unknown } | 'broken';

/** A request as the service behind the sidecar would see it. */
export interface SeenRequest {
  /** `POST auth-service/verify` */
  readonly what: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP server with a sidecar's addresses, for tests of what a service does with the answers. */
export interface StandInSidecar {
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  close(): void;
}

export async function standInSidecar(
  answer: (request: SeenRequest) => StandInAnswer | Promise<StandInAnswer>,
): Promise<StandInSidecar> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? '').replace('/v1.0/invoke/', '').replace('/method', '');
    const what = `${request.method} ${path}`;
    const one = { what, headers: request.headers, body: Buffer.concat(chunks).toString() };
    seen.push(one);
    const given = await answer(one);
    if (given === 'broken') return void request.socket.destroy();
    response.writeHead(given.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(given.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a sidecar answers when the other service cannot be reached. */
export const NOT_REACHED: StandInAnswer = {
  status: 500,
  body: { errorCode: 'ERR_DIRECT_INVOKE', message: 'failed to invoke: connection refused' },
};
