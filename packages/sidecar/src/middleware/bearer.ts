import type { Logger } from '@holdfast/telemetry/log';
import { jwtVerify } from 'jose';
import type { ComponentSettings } from '../components/component-settings.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import { isRecord } from '../resources/resource-files.ts';
import { type FetchEnv, fetchDocument, openKeyRing } from './key-ring.ts';
import { type Middleware, PASS, plainAnswer } from './middleware.ts';

/** How far clocks may differ, as in Dapr. */
const CLOCK_SKEW_S = 300;
const BEARER = /^bearer +(\S+) *$/i;

/**
 * `middleware.http.bearer`: lets pass who shows a token of `issuer` for
 * `audience`. The issuer's keys are at `jwksURL`, or where its OpenID
 * configuration says.
 *
 * @throws Error where the keys cannot be had.
 */
export async function bearer(
  settings: ComponentSettings,
  env: FetchEnv & { readonly log: Logger },
): Promise<Middleware> {
  const { clock } = env;
  const issuer =
    settings.text('issuer') ?? settings.text('issuerURL') ?? settings.required('issuer');
  const audience =
    settings.text('audience') ?? settings.text('clientID') ?? settings.required('audience');
  const given = settings.text('jwksURL');
  if (given !== undefined) checkUrl('jwksURL', given);
  else checkUrl('issuer', issuer);
  const keys = await openKeyRing(given ?? (await discover(issuer, env)), env);
  const refused = plainAnswer(401, 'Unauthorized', ['www-authenticate', 'Bearer']);
  return {
    async judge(head) {
      const token = BEARER.exec(headerValue(head.headers, 'authorization') ?? '')?.[1];
      if (token === undefined) return refused;
      try {
        const nowMs = clock.wallMs();
        const { payload, protectedHeader } = await jwtVerify(token, keys.keyOf, {
          issuer,
          audience,
          clockTolerance: CLOCK_SKEW_S,
          currentDate: new Date(nowMs),
        });
        // As daprd: one that does not name its key, or is not issued yet, is nobody's.
        const { iat = 0 } = payload;
        const issued = iat <= nowMs / 1_000 + CLOCK_SKEW_S;
        return issued && protectedHeader.kid ? PASS : refused;
      } catch {
        // Why is nobody's business but the issuer's: who forges tokens learns nothing.
        return refused;
      }
    },
  };
}

/** Where the issuer's OpenID configuration says its keys are. */
async function discover(issuer: string, env: FetchEnv): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchDocument(url, env);
  if (!isRecord(document) || typeof document.jwks_uri !== 'string') {
    throw new Error(`the OpenID configuration at ${url} has no jwks_uri; name the keys by jwksURL`);
  }
  if (document.issuer !== issuer) {
    throw new Error(
      `the OpenID configuration at ${url} is of "${document.issuer}", not of metadata issuer "${issuer}"; write it as there`,
    );
  }
  checkUrl('jwks_uri', document.jwks_uri);
  return document.jwks_uri;
}

function checkUrl(name: string, url: string): void {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return;
  throw new Error(`metadata ${name} must be an http or https URL, not "${url}"`);
}
