import assert from 'node:assert/strict';
import type { Step } from '../cases/state.ts';
import type { Make } from './both-makes.ts';
import type { Mesh } from './mesh.ts';

/** Sends the steps to the caller's sidecar, one after the other; `$S` in them is the store. */
export async function playSteps(mesh: Mesh, make: Make, steps: readonly Step[], store: string) {
  let etag = '';
  const filled = <T>(value: T): T => {
    const text = JSON.stringify(value)?.replaceAll('$S', store).replaceAll('{etag}', etag);
    return text === undefined ? value : JSON.parse(text);
  };
  for (const step of steps) {
    const [method, path, body, headers = {}] = filled(step.send);
    const url = new URL(path, `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/`);
    // The table writes other APIs as ../v1.0/…
    url.pathname = url.pathname.replace('/v1.0/v1.0', '/v1.0');
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    etag = answer.headers.get('etag') ?? etag;
    const [status, wanted] = filled(
      (make === 'daprd' ? otherwise(step, store)?.expect : undefined) ?? step.expect,
    );
    const what = `${method} ${path}: ${answer.status} ${text}`;
    // daprd answers a bulk get of some stores in any order; ours is in that of the keys.
    const sort = make === 'daprd' && path.endsWith('/bulk');
    assert.equal(answer.status, status, what);
    // Lists come from Go's encoder, which ends its line; values are as they were stored.
    const list = status === 200 && /\/(?:bulk|query)$/.test(url.pathname);
    if (list) assert.ok(text.endsWith('\n'), what);
    const actual: unknown = text === '' ? '' : JSON.parse(text);
    const [one, other] = sort ? [byKey(actual), byKey(wanted)] : [actual, wanted];
    assert.deepEqual(masked(one, other), other, what);
  }
}

function otherwise({ daprd, daprdOver }: Step, store: string) {
  return daprdOver?.[0].test(store) ? daprdOver[1] : daprd;
}

function byKey(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.toSorted((a, b) => String(a.key).localeCompare(String(b.key)));
}

/** The answer with what the table does not care about put as the table has it: `*` stands for any text. */
function masked(actual: unknown, wanted: unknown): unknown {
  if (typeof wanted === 'string' && wanted.includes('*') && typeof actual === 'string') {
    const pattern = wanted.split('*').map((part) => part.replaceAll(/[.[\](){}|?+^$\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`, 's').test(actual) ? wanted : actual;
  }
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.map((one, at) => masked(one, wanted[at]));
  }
  if (isObject(actual) && isObject(wanted)) {
    return Object.fromEntries(
      Object.entries(actual).map(([name, one]) => [name, masked(one, wanted[name])]),
    );
  }
  return actual;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
