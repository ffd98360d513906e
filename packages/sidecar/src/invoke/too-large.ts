import type { Clock } from '@holdfast/core';
import type { ApiCall } from '../server/api-call.ts';
import type { InvokeAnswer } from './invoke-error.ts';

/** How long a client may go on sending what nobody reads before it is cut off. */
const LINGER_MS = 1_000;

/**
 * Refuses a body that is still coming. Closing at once would reset the
 * connection and take the answer with it, so what comes is read and dropped for
 * a moment, until the client has seen that it is over.
 */
export function answerTooLarge(call: ApiCall, answer: InvokeAnswer, clock: Clock): void {
  const { req, res } = call;
  const body = Buffer.from(answer.body);
  const headers = ['content-type', 'application/json', 'content-length', String(body.length)];
  headers.push('connection', 'close', ...answer.headers);
  call.decorate(headers);
  res.writeHead(answer.status, headers);
  res.write(body);
  const linger = clock.timer(LINGER_MS, () => res.end());
  const over = (): void => {
    linger.cancel();
    res.end();
  };
  req.once('end', over).once('close', over);
  req.resume();
}
