import http2 from 'node:http2';
import { framed } from '../grpc/wire/message-frame.ts';

/** What a gRPC call brought, whatever its service: metadata, messages and trailers. */
export interface RawRpc {
  readonly head: http2.IncomingHttpHeaders;
  readonly messages: readonly string[];
  readonly status: string;
  readonly message: string;
  readonly trailers: http2.IncomingHttpHeaders;
  /** The values of one name of the head, or of the trailers, a line each. */
  headLines(name: string): readonly string[];
  trailerLines(name: string): readonly string[];
}

const frame = (text: string): Buffer => framed(Buffer.from(text));

/** Sends messages to a method, as any gRPC library would, and waits for the end. */
export async function rawRpc(
  port: number,
  path: string,
  messages: readonly string[],
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<RawRpc> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  // Told to the stream as well.
  session.on('error', () => {});
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(headers as http2.OutgoingHttpHeaders),
    });
    let head: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    let rawHead: readonly string[] = [];
    let rawTrailers: readonly string[] = [];
    const chunks: Buffer[] = [];
    stream.on('response', (given, _flags, raw) => {
      head = given;
      rawHead = raw;
    });
    stream.on('trailers', (given, _flags, raw) => {
      trailers = given;
      rawTrailers = raw;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const text of messages) stream.write(frame(text));
    stream.end();
    await new Promise((resolve, reject) => stream.on('error', reject).on('close', resolve));
    const last = trailers['grpc-status'] === undefined ? head : trailers;
    return {
      head,
      messages: messagesOf(Buffer.concat(chunks)),
      status: String(last['grpc-status']),
      message: decodeURIComponent(String(last['grpc-message'] ?? '')),
      trailers: last,
      headLines: (name) => linesOf(rawHead, name),
      trailerLines: (name) => linesOf(rawTrailers, name),
    };
  } finally {
    session.close();
  }
}

function messagesOf(bytes: Buffer): string[] {
  const list: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    list.push(bytes.subarray(at + 5, end).toString());
    at = end;
  }
  return list;
}

const linesOf = (raw: readonly string[], name: string): string[] =>
  raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === name);
