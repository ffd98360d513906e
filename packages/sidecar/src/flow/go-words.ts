/**
 * Connection failures in the words of Go's net package. Dapr's users match on
 * them (`connection refused`), so they are part of the API that we keep.
 */
export function connectFailure(error: Error & { code?: string }, address: string): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${address.replace(/:\d+$/, '')}: no such host`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    default:
      return `dial tcp ${address}: ${error.message}`;
  }
}

/** A connection that ended before the answer did. */
export function brokenConnection(error: Error & { code?: string }): string {
  switch (error.code) {
    case 'UND_ERR_SOCKET':
      return 'EOF';
    case 'ECONNRESET':
      return 'read: connection reset by peer';
    case 'EPIPE':
      return 'write: broken pipe';
    default:
      return error.message;
  }
}

/** `GET` as Go's http client spells it at the head of its errors: `Get`. */
export function verbWord(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}
