import http2 from 'node:http2';
import { Code } from '@connectrpc/connect';
import { brokenConnection, connectFailure } from '../flow/go-words.ts';
import { SilentPeerError } from '../flow/silence-watch.ts';
import { codeOfNoRpc } from '../grpc/status/rpc-status.ts';
import { goStatusText } from '../server/go-status-text.ts';
import { http2CodeName } from './http2-codes.ts';

/** gRPC's code and words of a call that has no status of the application's. */
export interface RpcFailure {
  readonly code: Code;
  readonly message: string;
}

type Failure = Error & { readonly code?: string };

/** How a stream came to its end without trailers. */
export interface StreamEnd {
  /** There was a connection for it. */
  readonly sent: boolean;
  /** Its connection has ended. */
  readonly gone: boolean;
  /** The other side has shown that it speaks HTTP/2. */
  readonly greeted: boolean;
  /** Its head has come. */
  readonly responded: boolean;
  readonly rstCode: number;
  readonly error: Failure | undefined;
  /** `host:port` */
  readonly address: string;
}

const { constants } = http2;

/** What gRPC makes of a reset; `Internal` of the others. */
const OF_RESETS: Readonly<Record<number, Code>> = {
  [constants.NGHTTP2_FLOW_CONTROL_ERROR]: Code.ResourceExhausted,
  [constants.NGHTTP2_REFUSED_STREAM]: Code.Unavailable,
  [constants.NGHTTP2_CANCEL]: Code.Canceled,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: Code.ResourceExhausted,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: Code.PermissionDenied,
};

/** In the words of Go's gRPC, which are daprd's. */
export function rpcFailure({
  address,
  error,
  gone,
  greeted,
  responded,
  rstCode,
  sent,
}: StreamEnd): RpcFailure {
  // A call that waited for its connection is cancelled; the cause is why there is none.
  const cause = error?.cause instanceof Error ? (error.cause as Failure) : error;
  if (!sent) {
    const why = connectFailure(cause ?? new Error('EOF'), address);
    const message = `connection error: desc = "transport: Error while dialing: ${why}"`;
    return { code: Code.Unavailable, message };
  }
  if (gone && !greeted) {
    const message = `connection error: desc = "error reading server preface: ${noPreface(cause)}"`;
    return { code: Code.Unavailable, message };
  }
  if (gone && cause instanceof SilentPeerError)
    return { code: Code.Unavailable, message: cause.message };
  if (gone) {
    // Node's own errors say no more than that it has ended.
    const why = cause?.code?.startsWith('ERR_HTTP2_') === false ? brokenConnection(cause) : 'EOF';
    const message = `closing transport due to: connection error: desc = "error reading from server: ${why}"`;
    return { code: Code.Unavailable, message };
  }
  if (responded && rstCode === constants.NGHTTP2_NO_ERROR) {
    return { code: Code.Internal, message: 'server closed the stream without sending trailers' };
  }
  return {
    code: OF_RESETS[rstCode] ?? Code.Internal,
    message: `stream terminated by RST_STREAM with error code: ${http2CodeName(rstCode)}`,
  };
}

/** What came in place of HTTP/2's first frame: nothing, or what servers of HTTP/1.1 say to a client that speaks HTTP/2. */
function noPreface(cause: Failure | undefined): string {
  if (cause?.code === 'ERR_HTTP2_ERROR') {
    return 'http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header';
  }
  return cause?.code?.startsWith('ERR_HTTP2_') === false ? brokenConnection(cause) : 'EOF';
}

/** Whether the application may have seen anything of it. */
export const hasReached = ({ gone, greeted, sent }: StreamEnd): boolean =>
  sent && (greeted || !gone);

/** Of a head that is no gRPC's: of HTTP alone, or of another type; undefined where it is gRPC's. */
export function noRpc(status: number, type: string | undefined): RpcFailure | undefined {
  const ofRpc = type !== undefined && /^application\/grpc(?:$|[+;])/.test(type);
  if (status === 200 && ofRpc) return undefined;
  const words = `unexpected HTTP status code received from server: ${status} (${goStatusText(status)})`;
  const more =
    type === undefined
      ? '; malformed header: missing HTTP content-type'
      : `; transport: received unexpected content-type ${JSON.stringify(type)}`;
  return { code: codeOfNoRpc(status), message: ofRpc ? words : `${words}${more}` };
}
