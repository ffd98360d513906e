import type { Dispatcher } from 'undici';
import type { EgressPool } from '../egress/egress-pool.ts';
import { canonicalName } from '../flow/headers/canonical-name.ts';

export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer | null;
}

/** A whole answer. */
export interface ExchangeAnswer {
  readonly status: number;
  /** `Not Found`; empty where the server said none. */
  readonly reason: string;
  /** By name as Go writes it (`Content-Type`); several of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends a request and collects its answer; aborted, or when the answer is too long, gives it up. */
export function exchange(
  pool: Pick<EgressPool, 'dispatch'>,
  request: ExchangeRequest,
  limitBytes: number,
  signal: AbortSignal,
): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let answer: Omit<ExchangeAnswer, 'body'> | undefined;
    let bytes = 0;
    const chunks: Buffer[] = [];
    const end = () => signal.removeEventListener('abort', aborted);
    const giveUp = (error: Error) => {
      end();
      reject(error);
      controller?.abort(error);
    };
    const aborted = () => giveUp(signal.reason as Error);
    signal.addEventListener('abort', aborted);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(given) {
        controller = given;
        if (signal.aborted) given.abort(signal.reason as Error);
      },
      onResponseStart(_controller, status, headers, reason = '') {
        if (status < 200) return;
        const joined = Object.entries(headers)
          .map(([name, value]) => [
            canonicalName(name.toLowerCase()),
            Array.isArray(value) ? value.join(', ') : String(value),
          ])
          // How the body was framed is the connection's, and over with it.
          .filter(([name]) => name !== 'Transfer-Encoding');
        answer = { status, reason, headers: Object.fromEntries(joined) };
      },
      onResponseData(_controller, chunk) {
        bytes += chunk.length;
        if (bytes <= limitBytes) chunks.push(chunk);
        else giveUp(tooLong(limitBytes));
      },
      onResponseEnd() {
        end();
        if (answer === undefined)
          reject(new Error('unreachable: an answer ended that had not begun'));
        else resolve({ ...answer, body: Buffer.concat(chunks) });
      },
      onResponseError(_controller, error) {
        end();
        reject(error);
      },
    };
    try {
      if (signal.aborted) throw signal.reason;
      pool.dispatch({ ...request, headers: named(request.headers) }, handler);
    } catch (error) {
      // undici checks path, verb and headers before anything is written.
      end();
      reject(error);
    }
  });
}

/** Who asks, where nobody has said it: some servers answer no request that does not. */
const AGENT = ['user-agent', 'holdfast'];

function named(headers: readonly string[]): string[] {
  const said = headers.some((name, at) => at % 2 === 0 && name === 'user-agent');
  return said ? [...headers] : [...headers, ...AGENT];
}

export const tooLong = (limitBytes: number): Error =>
  new Error(`the answer exceeds maxResponseBodySize of ${limitBytes} bytes`);
