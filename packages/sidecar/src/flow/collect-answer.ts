import type { PendingAnswer } from './pending-answer.ts';

/** An answer that is held whole may not be endless. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
  readonly code = 'ANSWER_TOO_LARGE';

  constructor(limitBytes: number) {
    super(`the answer is longer than the limit of ${limitBytes} bytes (--max-body-size)`);
  }
}

/** Reads an answer to its end. Rejects where it breaks off, or is longer than `limitBytes`. */
export function collectAnswer(answer: PendingAnswer, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= limitBytes) {
        chunks.push(chunk);
        return;
      }
      const error = new AnswerTooLargeError(limitBytes);
      reject(error);
      answer.abort(error);
    };
    answer.forwardTo({
      head() {},
      data: take,
      end(last) {
        if (last !== null) take(last);
        resolve(Buffer.concat(chunks));
      },
      fail: reject,
    });
  });
}
