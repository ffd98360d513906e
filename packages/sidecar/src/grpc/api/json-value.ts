import { Code, ConnectError } from '@connectrpc/connect';
import { wholeJson } from '../../go-json/read-json.ts';

/** The JSON that bytes are. @throws ConnectError where they are none. */
export function utf8Json(bytes: Uint8Array): unknown {
  try {
    return wholeJson(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new ConnectError((error as Error).message, Code.Unknown);
  }
}
