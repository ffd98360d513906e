import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Flow } from '../flow/answer.ts';
import { unescaped } from '../flow/unescaped.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { statusName } from '../grpc/status/rpc-status.ts';
import { framed, MESSAGE_HEAD_BYTES } from '../grpc/wire/message-frame.ts';
import { withTraceBin } from '../trace/trace-bin.ts';
import { cancel, type GrpcConnection } from './grpc-connection.ts';
import { hasReached, noRpc, rpcFailure } from './rpc-failure.ts';

/** What a unary call of the application brought. */
export interface GrpcAnswer {
  /** 0: all went well, and there is a message. */
  readonly code: number;
  readonly message: string;
  /** Base64 of `google.rpc.Status`; empty without one. */
  readonly details: string;
  /** `name, value, …` */
  readonly headers: string[];
  readonly trailers: string[];
  readonly body: Buffer;
}

const CANCELED = 1;
const UNKNOWN = 2;
const TIMED_OUT = 4;
/** Names of errors that end a call because of its time: a probe's, and those of policies. */
const LATE = new Set(['TimeoutError', 'TimedOutError', 'DeadlineExceededError']);
const UNAVAILABLE = 14;

/** One message there and one back; `done` or `failed` is called once. */
export function callUnary(
  connection: GrpcConnection,
  { path, headers, body }: { path: string; headers: readonly string[]; body: Uint8Array },
  limitBytes: number,
  done: (answer: GrpcAnswer) => void,
  failed: (error: Error) => void,
): Flow {
  const stream = connection.begin(path, withTraceBin(headers));
  const { session } = stream;
  const begunMs = connection.clock.now();
  const count = (code: number, received: number): void =>
    connection.counted(path, statusName(code), connection.clock.now() - begunMs, {
      sent: body.length,
      received: code === 0 ? received : 0,
    });
  let aborted: Error | undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let head: Lines | undefined;
  let trailers: Lines = { headers: {}, raw: [] };
  let error: (Error & { code?: string }) | undefined;
  stream.on('response', (headers, _flags, raw) => {
    head = { headers, raw };
  });
  stream.on('trailers', (headers, _flags, raw) => {
    trailers = { headers, raw };
  });
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limitBytes + MESSAGE_HEAD_BYTES) {
      error = new Error(`the application's answer is longer than ${limitBytes} bytes`);
      cancel(stream);
    } else chunks.push(chunk);
  });
  stream.on('error', (given: Error) => {
    error ??= given;
  });
  stream.on('close', () => {
    if (error === undefined && head !== undefined) {
      const answer = answerOf(head, trailers, Buffer.concat(chunks));
      count(answer.code, answer.body.length);
      done(answer);
      return;
    }
    if (aborted !== undefined) count(LATE.has(aborted.name) ? TIMED_OUT : CANCELED, 0);
    else count(error !== undefined && head !== undefined ? UNKNOWN : UNAVAILABLE, 0);
    const end = connection.endOf(stream, session, error, head !== undefined);
    if (error !== undefined && head !== undefined) failed(error);
    else {
      const kind = hasReached(end) ? 'BROKEN' : 'UNREACHABLE';
      failed(new UpstreamError(kind, rpcFailure(end).message));
    }
  });
  stream.end(framed(body));
  const flow = flowOf(stream);
  return {
    ...flow,
    abort(reason) {
      aborted = reason;
      flow.abort(reason);
    },
  };
}

/** The handle on a stream, as all calls have it. */
function flowOf(stream: ClientHttp2Stream): Flow {
  return {
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    abort: () => cancel(stream),
  };
}

const NO_TRAILERS = { code: 13, message: 'server closed the stream without sending trailers' };

/** A head or trailers: by name, and line by line as they came. */
interface Lines {
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
}

function answerOf(
  { headers: head, raw: headLines }: Lines,
  { headers: trailers, raw: trailerLines }: Lines,
  body: Buffer,
): GrpcAnswer {
  // Without a message the trailers may have come as the head.
  const last = trailers['grpc-status'] === undefined ? head : trailers;
  const status = last['grpc-status'];
  const http = Number(head[':status']);
  const known = typeof status === 'string' && /^\d+$/.test(status);
  const { code, message } = noRpc(http, head['content-type']) ?? NO_TRAILERS;
  return {
    code: known ? Number(status) : code,
    message: known ? unescaped(String(last['grpc-message'] ?? '')) : message,
    details: String(last['grpc-status-details-bin'] ?? ''),
    headers: metadataOf(headLines),
    trailers: metadataOf(trailerLines),
    body: body.subarray(MESSAGE_HEAD_BYTES),
  };
}

/** What came without what is gRPC's and HTTP's own, a line for each value. */
const metadataOf = (raw: readonly string[]): string[] =>
  raw.filter((_, at) => !/^(?::|content-type$|grpc-(?!trace-bin))/.test(raw[at & ~1]!));
