import { Code, ConnectError } from '@connectrpc/connect';

/** The JSON that bytes are. @throws ConnectError where they are none. */
export function utf8Json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new ConnectError((error as Error).message, Code.Unknown);
  }
}
