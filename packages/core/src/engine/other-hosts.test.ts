import assert from 'node:assert/strict';
import { test } from 'node:test';

/** What core finds where it is not in Node: a browser, an old Node, a host with other built-in modules. */
const HOSTS = [
  undefined,
  {},
  { getBuiltinModule: () => undefined },
  { getBuiltinModule: () => ({}) },
];

test('a host without async contexts runs continuations as they are', async () => {
  for (const [n, host] of HOSTS.entries()) {
    // A module of its own: what a host has is looked up once.
    const { captureContext, runIn } = await import(`./async-context.ts?host=${n}`);
    const context = within(host, captureContext);
    let ran = 0;
    runIn(context, () => {
      ran += 1;
    });
    assert.deepEqual([context, within(host, captureContext), ran], [undefined, undefined, 1]);
  }
});

function within<T>(host: unknown, work: () => T): T {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
  Object.defineProperty(globalThis, 'process', { value: host, configurable: true });
  try {
    return work();
  } finally {
    Object.defineProperty(globalThis, 'process', own);
  }
}
