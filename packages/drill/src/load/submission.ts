import { randomUUID } from 'node:crypto';
import type { Ledger } from '../books/ledger.ts';
import type { Answer, DrillRequest, HttpClient } from './http-client.ts';

/** What the client knows after a request for work. */
export type Outcome =
  /** Promised: from now on it may not be lost. */
  | { readonly kind: 'accepted'; readonly id: string }
  /** Certainly not taken. */
  | { readonly kind: 'refused'; readonly why: string }
  /** May or may not have been taken: no answer, or one given by somebody in between. */
  | { readonly kind: 'unknown'; readonly why: string };

/** A kind of request for work, and how to read its answers. */
export interface Submission {
  /** `attempt` is the client's own name for it, a UUID: send it as the idempotency key if there is one. */
  request(attempt: string): DrillRequest;
  judge(answer: Answer): Outcome;
}

export interface Submitted {
  readonly request: DrillRequest;
  readonly answer: Answer;
  readonly outcome: Outcome;
}

export interface Desk {
  readonly drill: string;
  readonly http: HttpClient;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly signal: AbortSignal;
}

/**
 * Sends one request for work and keeps the ledger: the attempt is on the disk
 * before the request is sent, the promise before anybody counts it.
 */
export async function submit(desk: Desk, submission: Submission): Promise<Submitted> {
  const { drill, http, ledger, signal } = desk;
  const attempt = randomUUID();
  await ledger.append({ kind: 'attempted', attempt, drill });

  const request = submission.request(attempt);
  const answer = await http.send(request, signal);
  const outcome: Outcome = answer.reached
    ? submission.judge(answer)
    : { kind: 'refused', why: 'connection refused' };

  if (outcome.kind !== 'unknown') await ledger.append({ ...outcome, attempt, drill });
  return { request, answer, outcome };
}
