import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { H2cServer } from './h2c-server.ts';
import { settingsOf, withRequest } from './upgrade-frames.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

/**
 * Whether a request asks to go on in HTTP/2. One that has a body is answered
 * over HTTP/1.1, which is always allowed; the next may ask again.
 */
export function asksForH2c({ headers, rawHeaders }: IncomingMessage): boolean {
  if (!hasToken(headers.upgrade, 'h2c')) return false;
  if (!hasToken(headers.connection, 'http2-settings')) return false;
  if (headers['transfer-encoding'] !== undefined) return false;
  if (Number(headers['content-length'] ?? 0) > 0) return false;
  const settings = rawHeaders.filter(
    (name, at) => at % 2 === 0 && name.toLowerCase() === 'http2-settings',
  );
  return settings.length === 1 && settingsOf(String(headers['http2-settings'])) !== undefined;
}

const hasToken = (list: string | undefined, token: string): boolean =>
  list?.split(',').some((one) => one.trim().toLowerCase() === token) === true;

/** Goes on in HTTP/2 with a client that has asked for it; `head` is what it has sent already. */
export function upgradeToH2c(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  h2c: H2cServer,
  timeoutMs: number,
): void {
  const settings = settingsOf(String(request.headers['http2-settings']));
  if (settings === undefined) throw new Error('unreachable: settings were looked at before');
  let sent = head;
  const gone = (): void => void socket.destroy();
  const look = (): void => {
    let begun: Buffer | undefined;
    try {
      begun = withRequest(sent, settings, request);
    } catch {
      // What follows is no HTTP/2, and there is no way back.
      gone();
    }
    if (begun === undefined) return;
    socket.off('data', more).off('timeout', gone).off('error', gone);
    socket.setTimeout(0);
    h2c.take(socket, begun);
  };
  const more = (chunk: Buffer): void => {
    sent = Buffer.concat([sent, chunk]);
    look();
  };
  socket.on('error', gone).on('timeout', gone).setTimeout(timeoutMs);
  socket.allowHalfOpen = false;
  socket.write(SWITCHING);
  socket.on('data', more);
  look();
}
