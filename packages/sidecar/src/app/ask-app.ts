import type { Flow, OutgoingCall, Upstream } from '../flow/answer.ts';

/** The whole of an answer of the application. */
export interface AppAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends a request of the sidecar's own to the application and collects the answer; aborted, gives it up. */
export type AskApp = (call: OutgoingCall, signal?: AbortSignal) => Promise<AppAnswer>;

/** Longer answers are cut off and count as failed: the sidecar asks for words, not for data. */
const LONGEST_ANSWER_BYTES = 1024 * 1024;

export function askApp(app: Upstream): AskApp {
  return (call, signal) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let status = 0;
      let flow: Flow | undefined;
      const giveUp = (error: Error) => {
        settled();
        flow?.abort(error);
        reject(error);
      };
      const aborted = () => giveUp(signal?.reason as Error);
      const settled = () => signal?.removeEventListener('abort', aborted);
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= LONGEST_ANSWER_BYTES) chunks.push(chunk);
        else giveUp(new Error(`the answer to ${call.path} exceeds ${LONGEST_ANSWER_BYTES} bytes`));
      };
      flow = app.send(call, {
        head(given) {
          status = given;
        },
        data: take,
        end(last) {
          settled();
          if (last !== null) take(last);
          resolve({ status, body: Buffer.concat(chunks) });
        },
        fail(error) {
          settled();
          reject(error);
        },
      });
      if (signal?.aborted) aborted();
      else signal?.addEventListener('abort', aborted);
    });
}
