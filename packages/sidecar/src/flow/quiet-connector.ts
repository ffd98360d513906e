import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { undiciConnector } from './undici-connector.ts';

const SAID = 'connection: keep-alive\r\n';

/**
 * undici's connector, whose connections do not say that they are kept: HTTP/1.1 keeps them without a
 * word of it, and the applications of Dapr see none. undici has no option for that, and writes the line
 * before the headers of the call, so what is taken out is always its own.
 */
export function quietConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = undiciConnector(options);
  return (to, callback) =>
    connect(to, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) callback(error, null);
      else callback(null, quiet(socket));
    });
}

function quiet<T extends Socket>(socket: T): T {
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  const quietly = (chunk: unknown, ...rest: unknown[]): boolean =>
    // Heads are texts; bodies are not.
    write(typeof chunk === 'string' ? chunk.replace(SAID, '') : chunk, ...rest);
  socket.write = quietly as typeof socket.write;
  return socket;
}
