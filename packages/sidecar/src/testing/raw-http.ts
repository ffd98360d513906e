import net from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether it ended as its head promised; a cut connection is not an end. */
  readonly complete: boolean;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  /** `name: value` lines. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Sent instead of all that, byte for byte (latin1). */
  readonly raw?: string;
}

/** Sends one request over a connection of its own and reads until the other side hangs up. */
export function sendRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  const text = request.raw ?? compose(request);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.setTimeout(20_000, () => socket.destroy());
    const verb = text.slice(0, text.indexOf(' '));
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('latin1'), verb)));
  });
}

function compose({ method = 'GET', path = '/', headers = [], body }: RawRequest): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers];
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

function parseAnswer(text: string, verb: string): RawAnswer {
  const start = finalHead(text);
  const split = text.indexOf('\r\n\r\n', start);
  if (split === -1) return { status: 0, headers: {}, body: '', complete: false };
  const [statusLine = '', ...lines] = text.slice(start, split).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const status = Number(statusLine.split(' ')[1]);
  return { status, headers, ...readBody(text.slice(split + 4), headers, status, verb) };
}

/** Where the last head begins: `100 Continue` and its like come before it. */
function finalHead(text: string): number {
  let at = 0;
  while (/^HTTP\/1\.1 1\d\d /.test(text.slice(at, at + 13))) at = text.indexOf('\r\n\r\n', at) + 4;
  return at;
}

function readBody(
  rest: string,
  headers: Readonly<Record<string, string>>,
  status: number,
  verb: string,
): { body: string; complete: boolean } {
  if (verb === 'HEAD' || status === 204 || status === 304) {
    return { body: rest, complete: rest === '' };
  }
  if (headers['transfer-encoding'] === 'chunked') return dechunk(rest);
  const length = headers['content-length'];
  return { body: rest, complete: length === undefined || rest.length === Number(length) };
}

function dechunk(text: string): { body: string; complete: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end === -1 || Number.isNaN(size)) return { body, complete: false };
    if (size === 0) return { body, complete: true };
    body += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
