import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawAnswer, sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import type { Make } from './both-makes.ts';
import type { Case, Expected, Request } from './case.ts';
import type { Seen } from './echo-app.ts';

/** The sidecars that cases are played to. */
export interface Played<To extends string> {
  readonly app: { calls(path: string): number };
  port(role: To | 'caller'): number;
}

/** Sends what a case says, one after the other, and looks at the answers. */
export async function playCase<To extends string>(
  mesh: Played<To>,
  one: Case<To>,
  make: Make,
): Promise<void> {
  const wanted = make === 'daprd' && one.daprd !== undefined ? one.daprd : one;
  const requests = Array.isArray(one.send)
    ? (one.send as readonly Request<To>[])
    : [one.send as Request<To>];
  const expected = Array.isArray(wanted.expect)
    ? (wanted.expect as readonly Expected[])
    : [wanted.expect as Expected];
  const startedMs = performance.now();
  for (const [index, request] of requests.entries()) {
    if (request.afterMs !== undefined) await sleep(request.afterMs);
    const answer = await sendRaw(mesh.port(request.to ?? 'caller'), request);
    check(answer, expected[index]!, `answer ${index + 1} of ${requests.length}`);
  }
  const tookMs = performance.now() - startedMs;
  for (const [path, count] of Object.entries(wanted.calls ?? one.calls ?? {})) {
    assert.equal(mesh.app.calls(path), count, `calls of ${path} that reached the application`);
  }
  if (one.notBeforeMs !== undefined) assert.ok(tookMs >= one.notBeforeMs, `only ${tookMs} ms`);
  // Generous for a busy machine: what it rules out is a wait that should not be.
  if (one.withinMs !== undefined) assert.ok(tookMs <= one.withinMs * 4, `${tookMs} ms`);
}

function check(answer: RawAnswer, expected: Expected, which: string): void {
  const context = `${which}: ${JSON.stringify(answer)}`;
  assert.equal(answer.complete, expected.complete ?? true, `complete; ${context}`);
  if (expected.status !== undefined) assert.equal(answer.status, expected.status, context);
  if (expected.body !== undefined) matches(answer.body, expected.body, `body; ${context}`);
  sameHeaders(answer.headers, expected.headers ?? {}, context);
  if (expected.app === undefined) return;
  const seen = JSON.parse(answer.body) as Seen;
  const { method, url, body, headers } = expected.app;
  if (method !== undefined) assert.equal(seen.method, method, context);
  if (url !== undefined) assert.equal(seen.url, url, context);
  if (body !== undefined) assert.equal(seen.body, body, context);
  sameHeaders(seen.headers, headers ?? {}, context);
}

function sameHeaders(
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string | RegExp | null>>,
  context: string,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) assert.equal(actual[name], undefined, `${name}; ${context}`);
    else matches(actual[name] ?? '', value, `${name}; ${context}`);
  }
}

function matches(actual: string, expected: string | RegExp, context: string): void {
  // daprd ends its JSON with a line break in some places; clients parse it either way.
  if (typeof expected === 'string') assert.equal(actual.trimEnd(), expected.trimEnd(), context);
  else assert.match(actual, expected, context);
}
