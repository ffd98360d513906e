import { randomUUID } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import type { Clock } from '@holdfast/core';
import { SignJWT } from 'jose';
import { exchange } from '../../../bindings/http-exchange.ts';
import { undiciPool } from '../../../flow/undici-pool.ts';
import type { OidcProof, OidcSettings } from './oidc-settings.ts';

export interface Token {
  readonly text: string;
  /** Undefined where the endpoint does not say. */
  readonly livesMs: number | undefined;
}

/** Where a client and its secret are sent: most endpoints take both ways, some one of them. */
export type SecretPlace = 'header' | 'body';

/** The ways to ask for a token, in the order in which they are tried. */
export const placesOf = ({ proof }: OidcSettings): readonly SecretPlace[] =>
  proof.kind === 'secret' ? ['header', 'body'] : ['body'];

const FETCH_LIMIT_MS = 30_000;
const LONGEST_ANSWER_BYTES = 1024 * 1024;
const ASSERTION_LIVES_S = 60;

/** Asks the token endpoint (OAuth's client credentials). @throws Error that says what it answered. */
export async function askToken(
  settings: OidcSettings,
  place: SecretPlace,
  clock: Clock,
): Promise<Token> {
  const { clientId, endpoint, proof, scopes } = settings;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  const headers = ['content-type', 'application/x-www-form-urlencoded'];
  if (proof.kind === 'key') await prove(form, proof, settings, clock);
  else if (place === 'header') headers.push('authorization', basicOf(clientId, proof.secret));
  else {
    form.set('client_id', clientId);
    form.set('client_secret', proof.secret);
  }
  const { body, status, type } = await post(settings, headers, form.toString(), clock);
  if (status < 200 || status > 299) {
    throw new Error(`${endpoint.href} answered ${status} ${body.slice(0, 200)}`);
  }
  return tokenOf(body, type, endpoint);
}

/** An assertion that the client has signed stands in for a secret (RFC 7523). */
async function prove(
  form: URLSearchParams,
  { audience, key, keyId, resource }: Extract<OidcProof, { kind: 'key' }>,
  { clientId, endpoint }: OidcSettings,
  clock: Clock,
): Promise<void> {
  const nowS = Math.floor(clock.wallMs() / 1_000);
  const assertion = await new SignJWT()
    .setProtectedHeader({
      alg: 'RS256',
      typ: 'JWT',
      ...(keyId === undefined ? {} : { kid: keyId }),
    })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience ?? endpoint.href)
    .setIssuedAt(nowS)
    .setNotBefore(nowS)
    .setExpirationTime(nowS + ASSERTION_LIVES_S)
    .setJti(randomUUID())
    .sign(key);
  form.set('client_id', clientId);
  form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  form.set('client_assertion', assertion);
  if (audience !== undefined) form.set('audience', audience);
  if (resource !== undefined) form.set('resource', resource);
}

/** Name and secret escaped, as RFC 6749 has it and Go does it. */
function basicOf(clientId: string, secret: string): string {
  const escaped = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${escaped(clientId)}:${escaped(secret)}`).toString('base64')}`;
}

async function post(
  { caCert, endpoint, skipVerify }: OidcSettings,
  headers: readonly string[],
  form: string,
  clock: Clock,
) {
  const { origin, pathname, search } = endpoint;
  const pool = new (undiciPool())(origin, {
    connections: 1,
    connect: {
      rejectUnauthorized: !skipVerify,
      ...(caCert === undefined ? {} : { ca: [...getCACertificates(), caCert] }),
    },
  });
  const limit = new AbortController();
  const timer = clock.timer(FETCH_LIMIT_MS, () =>
    limit.abort(new Error(`no answer within ${FETCH_LIMIT_MS} ms`)),
  );
  try {
    const path = `${pathname}${search}`;
    const request = { method: 'POST', path, headers, body: Buffer.from(form) };
    const answer = await exchange(pool, request, LONGEST_ANSWER_BYTES, limit.signal);
    const type = answer.headers['Content-Type'] ?? '';
    return { status: answer.status, type, body: answer.body.toString('utf8') };
  } catch (error) {
    throw new Error(`POST ${endpoint.href}: ${(error as Error).message}`);
  } finally {
    timer.cancel();
    await pool.destroy();
  }
}

/** JSON, or the form that some endpoints answer with. */
function tokenOf(body: string, type: string, { href }: URL): Token {
  const given = /^(?:application\/x-www-form-urlencoded|text\/plain)/.test(type)
    ? Object.fromEntries(new URLSearchParams(body))
    : parsed(body);
  const { access_token: text, error, expires_in: expires } = given;
  if (typeof error === 'string') throw new Error(`${href} answered ${body.slice(0, 200)}`);
  if (typeof text !== 'string' || text === '') {
    throw new Error(`${href} answered without an access_token`);
  }
  const seconds = Number(expires);
  return { text, livesMs: seconds > 0 ? seconds * 1_000 : undefined };
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(body) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
