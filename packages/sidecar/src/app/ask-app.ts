import type { Flow, OutgoingCall, Upstream } from '../flow/answer.ts';

/** The whole of an answer of the application. */
export interface AppAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends a request of the sidecar's own to the application and collects the answer. */
export type AskApp = (call: OutgoingCall) => Promise<AppAnswer>;

/** Longer answers are cut off and count as failed: the sidecar asks for words, not for data. */
const LONGEST_ANSWER_BYTES = 1024 * 1024;

export function askApp(app: Upstream): AskApp {
  return (call) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let status = 0;
      let flow: Flow | undefined;
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= LONGEST_ANSWER_BYTES) chunks.push(chunk);
        else {
          const error = new Error(
            `the answer to ${call.path} is longer than ${LONGEST_ANSWER_BYTES} bytes`,
          );
          flow?.abort(error);
          reject(error);
        }
      };
      flow = app.send(call, {
        head(given) {
          status = given;
        },
        data: take,
        end(last) {
          if (last !== null) take(last);
          resolve({ status, body: Buffer.concat(chunks) });
        },
        fail: reject,
      });
    });
}
