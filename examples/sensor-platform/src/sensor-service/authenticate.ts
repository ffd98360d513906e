import { circuitBreaker, pipeline, timeout } from '@holdfast/core';
import type { SidecarClient } from '../service/sidecar-client.ts';
import { type Verdict, verifyToken } from '../service/tokens.ts';
import type { PublicKeys } from './public-keys.ts';

/** What came of a request's token. `degraded`: auth-service did not answer, we verified by ourselves. */
export type Authentication =
  | { readonly verdict: Verdict; readonly degraded: boolean }
  | 'impossible';

/**
 * Asks auth-service whose a token is; when it does not answer, verifies the
 * signature with its public key, kept from better days. What is lost then is
 * what only auth-service could know, so the answer says that it is degraded.
 */
export function authenticator(
  sidecar: SidecarClient,
  keys: PublicKeys,
): (token: string) => Promise<Authentication> {
  const calls = pipeline('auth-service', [
    circuitBreaker({ consecutiveFailures: 3, openMs: 1_000 }),
    timeout({ limitMs: 2_000 }),
  ]);
  // A thousand requests with one token at one moment are one question.
  const asking = new Map<string, Promise<Authentication>>();

  const ask = async (token: string): Promise<Authentication> => {
    try {
      const verdict = await calls.execute(({ signal }) => askAuth(sidecar, token, signal));
      return { verdict, degraded: false };
    } catch {
      // Why is in the circuit's events; the remedy is the same whatever it was.
      const known = keys.current();
      if (known === undefined) return 'impossible';
      return { verdict: await verifyToken(token, known), degraded: true };
    }
  };

  return (token) => {
    const answer = asking.get(token) ?? ask(token).finally(() => asking.delete(token));
    asking.set(token, answer);
    return answer;
  };
}

async function askAuth(
  sidecar: SidecarClient,
  token: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const answer = await sidecar.invoke('auth-service', '/verify', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
    signal,
  });
  if (!answer.ok) throw new Error(`auth-service answered ${answer.status} to /verify.`);
  return (await answer.json()) as Verdict;
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return header?.match(/^Bearer +([\w.~+/=-]+) *$/i)?.[1];
}
