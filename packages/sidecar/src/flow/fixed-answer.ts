import type { Flow } from './answer.ts';
import { PendingAnswer } from './pending-answer.ts';

/** An answer that is whole already has nothing to slow down or to give up. */
const STILL: Flow = { pause() {}, resume() {}, abort() {} };

/** An answer that nobody has to be asked for. The headers are its own to keep and to change. */
export function fixedAnswer(status: number, headers: string[], body: Buffer): PendingAnswer {
  const answer = new PendingAnswer(
    () => {},
    () => {},
  );
  answer.head(status, headers, STILL);
  answer.end(body.length === 0 ? null : body);
  return answer;
}
