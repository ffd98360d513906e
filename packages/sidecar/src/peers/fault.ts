import { UpstreamError } from '../flow/upstream-error.ts';

const DENIED = 'code = PermissionDenied desc = ';

/** A callee's failure as gRPC words it: `code = … desc = …`. */
export function faultText(error: Error): string {
  if (!(error instanceof UpstreamError)) return `code = Internal desc = ${error.message}`;
  switch (error.code) {
    case 'UNREACHABLE':
    case 'BROKEN':
      return `code = Internal desc = error invoking app channel: ${error.message}`;
    case 'DENIED':
      return `${DENIED}${error.message}`;
    case 'REFUSED':
      // Dapr's channel to the application has said no, and in its own words.
      return error.message.startsWith('rpc error: ')
        ? `code = Internal desc = error invoking app channel: ${error.message}`
        : `code = Internal desc = ${error.message}`;
    case 'NO_ADDRESS':
      return `code = Internal desc = ${error.message}`;
  }
}

/** The failure as the caller's side throws it; only the callee's sidecar itself says `DENIED`. */
export function faultOf(text: string): UpstreamError {
  return new UpstreamError(text.startsWith(DENIED) ? 'DENIED' : 'REFUSED', `rpc error: ${text}`);
}
