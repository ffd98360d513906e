import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { type ExchangeAnswer, exchange } from '../bindings/http-exchange.ts';
import { MOST_REDIRECTS, redirected, type SentRequest } from '../bindings/redirect.ts';
import { egressPool } from '../egress/egress-pool.ts';
import { type ProxyOf, WITHOUT_PROXY } from '../egress/proxy-of.ts';

/** Keys are fetched anew after this, and until then for an unknown one at most every so often. */
const REFRESH_MS = 600_000;
const COOLDOWN_MS = 30_000;
const FETCH_LIMIT_MS = 10_000;
const LONGEST_DOCUMENT_BYTES = 1024 * 1024;

/** The public keys of an issuer. Keys in hand stay good while its server is away. */
export interface KeyRing {
  readonly keyOf: JWTVerifyGetKey;
}

/** What fetching takes. */
export interface FetchEnv {
  readonly clock: Clock;
  /** @default none */
  readonly proxyOf?: ProxyOf;
}

/** @throws Error where the keys cannot be had: who stands at the door must know them first. */
export async function openKeyRing(
  url: string,
  env: FetchEnv & { readonly log: Logger },
): Promise<KeyRing> {
  const { clock, log } = env;
  let keys = await fetchKeys(url, env);
  let fetchedMs = clock.now();
  let fetching: Promise<void> | undefined;

  const refresh = (): Promise<void> => {
    fetching ??= fetchKeys(url, env)
      .then((fresh) => {
        keys = fresh;
      })
      .catch((error: unknown) => {
        log.warn(
          `The keys at ${url} cannot be fetched, those in hand stay: ${(error as Error).message}`,
        );
      })
      .finally(() => {
        fetchedMs = clock.now();
        fetching = undefined;
      });
    return fetching;
  };

  return {
    keyOf: async (header, token) => {
      const ageMs = clock.now() - fetchedMs;
      if (ageMs >= REFRESH_MS) void refresh();
      try {
        return await keys(header, token);
      } catch (error) {
        // Perhaps a key that is newer than ours.
        if (!(error instanceof errors.JWKSNoMatchingKey) || ageMs < COOLDOWN_MS) throw error;
        await refresh();
        return await keys(header, token);
      }
    },
  };
}

async function fetchKeys(url: string, env: FetchEnv): Promise<JWTVerifyGetKey> {
  return createLocalJWKSet((await fetchDocument(url, env)) as JSONWebKeySet);
}

/** A JSON document, wherever redirects lead to, with limits of time and length. */
export async function fetchDocument(
  url: string,
  { clock, proxyOf = WITHOUT_PROXY }: FetchEnv,
): Promise<unknown> {
  const limit = new AbortController();
  const timer = clock.timer(FETCH_LIMIT_MS, () =>
    limit.abort(new Error(`no answer within ${FETCH_LIMIT_MS} ms`)),
  );
  try {
    let at = new URL(url);
    for (let redirects = 0; ; redirects += 1) {
      const sent = sentTo(at);
      const answer = await answered(sent, proxyOf(at), limit.signal);
      const next = redirected(sent, answer, undefined);
      if (next === undefined) {
        if (answer.status !== 200) throw new Error(`the answer is ${answer.status}, not 200`);
        return JSON.parse(answer.body.toString('utf8'));
      }
      if (redirects === MOST_REDIRECTS) {
        throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
      }
      at = new URL(next.path, next.origin);
    }
  } catch (error) {
    throw new Error(`GET ${url}: ${(error as Error).message}`);
  } finally {
    timer.cancel();
  }
}

const sentTo = ({ origin, pathname, search }: URL): SentRequest => ({
  ...{ method: 'GET', origin, path: `${pathname}${search}` },
  ...{ headers: new Map(), body: null },
});

async function answered(
  { method, origin, path }: SentRequest,
  proxy: URL | undefined,
  signal: AbortSignal,
): Promise<ExchangeAnswer> {
  const pool = egressPool(origin, { connections: 1 }, proxy);
  try {
    const request = { method, path, headers: [], body: null };
    return await exchange(pool, request, LONGEST_DOCUMENT_BYTES, signal);
  } finally {
    await pool.destroy();
  }
}
