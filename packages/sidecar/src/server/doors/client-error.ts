import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { H2cServer } from '../h2c/h2c-server.ts';
import { afterPreface, leaveHttp1, PREFACE } from '../h2c/leave-http1.ts';

/**
 * Answers what is no HTTP, or more of it than we take, and hangs up. node's
 * default does the same but for the bodies, which say what was wrong.
 */
export function clientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusLine(error.code);
  const body = `${status}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function statusLine(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return '413 Payload Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    default:
      return '400 Bad Request';
  }
}

/** As `clientError`, but that a client which begins with HTTP/2 is no error. */
export function clientErrorOrH2c(h2c: H2cServer): typeof clientError {
  return (error, duplex) => {
    const socket = duplex as Socket;
    const after = afterPreface(error, socket);
    if (after === undefined) return clientError(error, duplex);
    leaveHttp1(socket);
    h2c.take(socket, Buffer.concat([PREFACE, after]));
  };
}
