import { UpstreamError } from '../flow/upstream-error.ts';

/** A callee's failure as gRPC words it: `code = … desc = …`. */
export function faultText(error: Error): string {
  if (!(error instanceof UpstreamError)) return `code = Internal desc = ${error.message}`;
  switch (error.code) {
    case 'UNREACHABLE':
    case 'BROKEN':
      return `code = Internal desc = error invoking app channel: ${error.message}`;
    case 'REFUSED':
    case 'NO_ADDRESS':
      return `code = Internal desc = ${error.message}`;
  }
}
