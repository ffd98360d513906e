import type { Clock } from '@holdfast/core';
import type { SecretPlace, Token } from './ask-token.ts';

/**
 * Of a token's life: the client signs in again with 0.8 of its connection's behind it, and then
 * needs one that does not end with the connection.
 */
const GOOD_FOR = 0.75;
/** However long it lives: it must still be good when the broker looks at it. */
const LEAST_LEFT_MS = 10_000;

/**
 * Tokens by what asks for one: kept while they are good for a while longer, asked for once
 * however many want one. Where a client's secret is to stand is found out at the first success.
 */
export function tokenSource(
  ask: (place: SecretPlace) => Promise<Token>,
  places: readonly SecretPlace[],
  clock: Pick<Clock, 'now'>,
): () => Promise<string> {
  let known: readonly SecretPlace[] = places;
  let held: { readonly text: string; readonly untilMs: number } | undefined;
  let asking: Promise<string> | undefined;

  const anywhere = async (): Promise<Token> => {
    let failure: unknown;
    for (const place of known) {
      try {
        const token = await ask(place);
        known = [place];
        return token;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  const fetch = async (): Promise<string> => {
    const askedMs = clock.now();
    const { livesMs = Number.POSITIVE_INFINITY, text } = await anywhere();
    const goodMs = Math.min(livesMs * GOOD_FOR, livesMs - LEAST_LEFT_MS);
    held = { text, untilMs: askedMs + goodMs };
    return text;
  };
  return async () => {
    if (held !== undefined && clock.now() < held.untilMs) return held.text;
    asking ??= fetch().finally(() => {
      asking = undefined;
    });
    return await asking;
  };
}
