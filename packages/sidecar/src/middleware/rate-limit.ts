import { createHash } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import type { ComponentSettings } from '../components/component-settings.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import { type Middleware, type PassingHead, plainAnswer, readPath } from './middleware.ts';

const DEFAULT_PER_SECOND = 100;
/** Clients and paths that are told apart; twice as many at most are remembered. */
const REMEMBERED = 10_000;
const MAX_CLIENT_LETTERS = 64;
/** Longer paths are remembered by their digest. */
const MAX_PATH_LETTERS = 128;

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * `middleware.http.ratelimit`: so many requests a second of each client and
 * path. The client is who the last proxy says it is (`X-Forwarded-For`,
 * `X-Real-IP`), else where the connection comes from.
 */
export function rateLimit(settings: ComponentSettings, clock: Clock): Middleware {
  const perSecond = perSecondOf(settings);
  const burst = Math.max(1, Math.floor(perSecond));
  let young = new Map<string, Bucket>();
  let old = new Map<string, Bucket>();

  const bucketOf = (key: string): Bucket => {
    const found = young.get(key) ?? old.get(key) ?? { tokens: burst, atMs: clock.now() };
    if (young.size >= REMEMBERED) {
      old = young;
      young = new Map();
    }
    young.set(key, found);
    return found;
  };

  return {
    judge(head) {
      const client = clientOf(head);
      const bucket = bucketOf(`${client} ${shortened(readPath(head.path).path)}`);
      const nowMs = clock.now();
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
      bucket.atMs = nowMs;
      const allowed = bucket.tokens >= 1;
      if (allowed) bucket.tokens -= 1;
      const headers = limitHeaders(head, perSecond, Math.floor(bucket.tokens));
      if (allowed) return { kind: 'pass', headers };
      const waitMs = ((1 - bucket.tokens) / perSecond) * 1000;
      const retryAfter = String(Math.max(1, Math.ceil(waitMs / 1000)));
      return plainAnswer(429, 'You have reached maximum request limit.', [
        ...headers,
        'retry-after',
        retryAfter,
      ]);
    },
  };
}

function perSecondOf(settings: ComponentSettings): number {
  const given = settings.text('maxRequestsPerSecond');
  const value = given === undefined ? DEFAULT_PER_SECOND : Number(given);
  if (value > 0 && value <= 1e9) return value;
  throw new Error(
    `metadata maxRequestsPerSecond must be a number above 0 and at most 1000000000, not "${given}"`,
  );
}

function clientOf(head: PassingHead): string {
  const forwarded = headerValue(head.headers, 'x-forwarded-for')?.split(',').at(-1)?.trim();
  const address = forwarded || headerValue(head.headers, 'x-real-ip')?.trim() || hostOf(head.from);
  return address.slice(0, MAX_CLIENT_LETTERS);
}

function shortened(path: string): string {
  if (path.length <= MAX_PATH_LETTERS) return path;
  return createHash('sha256').update(path).digest('base64');
}

function hostOf(from: string | undefined): string {
  return from === undefined ? '0.0.0.0' : from.slice(0, from.lastIndexOf(':'));
}

/** The names that clients of Dapr's middleware read. */
function limitHeaders(head: PassingHead, perSecond: number, left: number): readonly string[] {
  const forwarded = headerValue(head.headers, 'x-forwarded-for');
  return [
    ...['x-rate-limit-limit', perSecond.toFixed(2), 'x-rate-limit-duration', '1'],
    ...(forwarded === undefined ? [] : ['x-rate-limit-request-forwarded-for', forwarded]),
    ...['x-rate-limit-request-remote-addr', head.from ?? ''],
    ...['ratelimit-limit', String(Math.round(perSecond)), 'ratelimit-reset', '1'],
    ...['ratelimit-remaining', String(left)],
  ];
}
