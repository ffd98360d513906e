import http2, { type OutgoingHttpHeaders } from 'node:http2';
import net from 'node:net';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  frameReader,
  HEADERS,
  headerBlock,
  PREFACE,
  SETTINGS,
} from '../../../packages/sidecar/src/testing/raw-h2.ts';

/** An answer over HTTP/2. */
export interface Asked {
  readonly status: number;
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** It broke off. */
  readonly failed: boolean;
}

/** Asks over a connection of its own. */
export async function asked(
  port: number,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Asked> {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  client.on('error', () => {});
  try {
    return await request(client, headers, body);
  } finally {
    client.destroy();
  }
}

export function request(
  client: http2.ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Asked> {
  return new Promise((resolve) => {
    const stream = client.request(headers, { endStream: body === undefined });
    let head: Readonly<Record<string, unknown>> = {};
    let text = '';
    let failed = false;
    stream.on('response', (given) => {
      head = { ...given };
    });
    stream.on('data', (chunk) => {
      text += chunk;
    });
    stream.on('error', () => {
      failed = true;
    });
    stream.on('close', () =>
      resolve({ status: Number(head[':status']), head, body: text, failed }),
    );
    if (body !== undefined) stream.end(body);
  });
}

/** What a server says to the preface; empty where it says nothing within a moment. */
export function hello(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => resolve(''));
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1'));
      socket.destroy();
    });
    socket.once('close', () => resolve(''));
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
  });
}

/** Sends a request over HTTP/1.1, and where that switches to HTTP/2 a second one in it; what came by then. */
export async function upgraded(port: number, head: string, path: string) {
  const socket = net.connect(port, '127.0.0.1');
  const frames: Frame[] = [];
  const done = Promise.withResolvers<void>();
  const read = frameReader((one) => {
    frames.push(one);
    const ended = frames.filter(({ flags, stream }) => stream > 0 && (flags & END_STREAM) > 0);
    if (ended.length === 2) done.resolve();
  });
  let text = Buffer.alloc(0);
  let switched = false;
  socket.on('error', () => {}).on('close', () => done.resolve());
  socket.on('data', (bytes) => {
    if (switched) return read(bytes);
    text = Buffer.concat([text, bytes]);
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!text.toString().startsWith('HTTP/1.1 101')) return done.resolve();
    switched = true;
    read(text.subarray(end + 4));
    text = text.subarray(0, end);
    const headers = { ':method': 'GET', ':scheme': 'http', ':path': path, ':authority': 'a' };
    const second = frame(HEADERS, END_HEADERS | END_STREAM, 3, headerBlock(headers));
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), second]));
  });
  socket.write(head);
  await done.promise;
  socket.destroy();
  const bodies = new Map<number, string>();
  for (const { payload, stream, type } of frames) {
    if (type === DATA) bodies.set(stream, (bodies.get(stream) ?? '') + payload.toString());
  }
  return { head: text.toString(), bodies };
}
