import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { connectFailure } from '../flow/go-words.ts';
import { undiciConnector } from '../flow/undici-connector.ts';

/** A head that is longer is no answer of a proxy. */
const LONGEST_HEAD_BYTES = 16 * 1024;

/** The proxy is not there, or does not let us through. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
}

/** undici's connector, whose connections lead to `proxy`, wherever they are asked for. */
export function proxyConnector(
  { host, hostname, port, protocol }: URL,
  { timeout }: buildConnector.BuildOptions,
): buildConnector.connector {
  const limit = timeout === undefined ? {} : { timeout };
  const connect = undiciConnector({ ...limit, allowH2: false });
  const at = { host, hostname, port, protocol, servername: hostname };
  return (_to, callback) =>
    connect(at, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error === null) callback(null, socket);
      else {
        const why = connectFailure(error, host);
        callback(new ProxyError(`proxyconnect tcp: ${why}`, { cause: error }), null);
      }
    });
}

/** The same for what is encrypted: they go on to where they are for, by `CONNECT`. */
export function tunnelConnector(
  proxy: URL,
  options: buildConnector.BuildOptions,
): buildConnector.connector {
  const toProxy = proxyConnector(proxy, options);
  const onwards = undiciConnector(options);
  return (to, callback) =>
    toProxy(to, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      askThrough(socket, `${to.hostname}:${to.port || '443'}`, signIn(proxy)).then(
        () => onwards({ ...to, httpSocket: socket }, callback),
        (failure: Error) => {
          socket.destroy();
          callback(failure, null);
        },
      );
    });
}

/** `Basic …`, where the proxy's address has a name in it. */
export function signIn({ password, username }: URL): string | undefined {
  if (username === '') return undefined;
  const text = [username, password].map(decodeURIComponent).join(':');
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/** Resolves when the socket leads to `target`. */
function askThrough(socket: Socket, target: string, authorization?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = '';
    const end = (failure?: Error) => {
      socket.off('readable', read).off('error', end).off('end', closed);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const closed = () => end(new ProxyError('proxyconnect tcp: EOF'));
    const read = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
        head += (chunk as Buffer).toString('latin1');
      }
      if (!head.includes('\r\n\r\n')) {
        if (head.length > LONGEST_HEAD_BYTES) end(new ProxyError('proxyconnect tcp: no answer'));
        return;
      }
      const [, status, words] = /^HTTP\/1\.\d (\d{3}) ?([^\r\n]*)/.exec(head) ?? [];
      // Its words alone, as Go has it: `Forbidden`.
      if (status === '200') end();
      else end(new ProxyError(words || `the proxy answers ${status ?? 'nothing of HTTP'}`));
    };
    socket.on('readable', read).on('error', end).on('end', closed);
    const lines = [
      `CONNECT ${target} HTTP/1.1`,
      `host: ${target}`,
      'user-agent: holdfast',
      ...(authorization === undefined ? [] : [`proxy-authorization: ${authorization}`]),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}
