import { UpstreamError } from '../flow/upstream-error.ts';

const RPC_ERROR = 'rpc error: ';
const DENIED = 'code = PermissionDenied desc = ';

/** A callee's failure as gRPC words it: `code = … desc = …`. */
export function faultText(error: Error): string {
  if (!(error instanceof UpstreamError)) return `code = Internal desc = ${error.message}`;
  switch (error.code) {
    case 'UNREACHABLE':
    case 'BROKEN':
      // Of gRPC that is passed through the client has the code as it came about.
      if (error.message.startsWith(RPC_ERROR)) return error.message.slice(RPC_ERROR.length);
      return `code = Internal desc = error invoking app channel: ${error.message}`;
    case 'DENIED':
      return `${DENIED}${error.message}`;
    case 'REFUSED':
      // Dapr's channel to the application has said no, and in its own words.
      return error.message.startsWith(RPC_ERROR)
        ? `code = Internal desc = error invoking app channel: ${error.message}`
        : `code = Internal desc = ${error.message}`;
    case 'NO_ADDRESS':
      return `code = Internal desc = ${error.message}`;
  }
}

/** The failure as the caller's side throws it; only the callee's sidecar itself says `DENIED`. */
export function faultOf(text: string): UpstreamError {
  return new UpstreamError(text.startsWith(DENIED) ? 'DENIED' : 'REFUSED', `${RPC_ERROR}${text}`);
}
