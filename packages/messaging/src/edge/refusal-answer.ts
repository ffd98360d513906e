import type { OutboxRefusalCode, OutboxRefusedError } from '../errors.ts';
import { answerOf, type EdgeAnswer } from './edge-request.ts';

const CODES: ReadonlySet<unknown> = new Set<OutboxRefusalCode>([
  'OUTBOX_FULL',
  'OUTBOX_UNAVAILABLE',
  'OUTBOX_CLOSED',
  'MESSAGE_TOO_LARGE',
]);

/** Compared by code: the outbox may come from another copy of this package. */
export function isOutboxRefusal(error: unknown): error is OutboxRefusedError {
  return error instanceof Error && 'code' in error && CODES.has(error.code);
}

/**
 * What a client is told when the outbox does not take its event. The refusal's own words name files
 * and servers: they are for `onProblem`.
 */
export function acceptRefusal(refusal: OutboxRefusedError, id: string): EdgeAnswer {
  const { code } = refusal;
  const seconds = secondsOf(refusal);
  const again = `Send it again in ${seconds} s`;
  const body = (error: string) => ({ error, code, id });
  const headers = { 'retry-after': String(seconds) };
  switch (code) {
    case 'MESSAGE_TOO_LARGE':
      return answerOf(413, { error: 'The body is larger than this service keeps.', code });
    case 'OUTBOX_FULL':
      return answerOf(
        503,
        body(`The event was not accepted, because too many wait to be delivered. ${again}.`),
        { headers },
      );
    case 'OUTBOX_UNAVAILABLE':
      // A database that went away during a commit may have kept it all the same.
      return answerOf(
        503,
        body(`The event cannot be promised to be kept. ${again}, under the same id.`),
        { headers },
      );
    case 'OUTBOX_CLOSED':
      return answerOf(
        503,
        body(`The event was not accepted, because this service is stopping. ${again}.`),
        { headers },
      );
  }
}

/** What a client is told when nobody can look up what became of its event. */
export function statusRefusal(refusal: OutboxRefusedError): EdgeAnswer {
  const { code } = refusal;
  const error = 'What became of the event cannot be looked up now.';
  return answerOf(503, { error, code }, { headers: { 'retry-after': String(secondsOf(refusal)) } });
}

/** Whole seconds are all that `retry-after` can say; rounded up, for sooner would be refused again. */
function secondsOf({ retryAfterMs = 1_000 }: OutboxRefusedError): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}
