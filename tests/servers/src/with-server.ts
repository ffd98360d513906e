import { after, type TestContext, test } from 'node:test';
import type { ServerProcess } from './server-process.ts';

/**
 * Starts a server for a test and removes it after. Where it cannot be had the
 * test is skipped by the server's name, and fails where `CI=true`. `HOLDFAST_SERVERS=none` skips them
 * all: `npm run mutate` asks the same test hundreds of times.
 */
export async function withServer<S extends { readonly process: ServerProcess }>(
  t: Pick<TestContext, 'skip' | 'after'>,
  start: () => Promise<S | Unavailable>,
): Promise<S | undefined> {
  if (process.env.HOLDFAST_SERVERS === 'none') {
    t.skip('no servers are wanted (HOLDFAST_SERVERS=none)');
    return undefined;
  }
  const server = await start();
  if (server instanceof Unavailable) {
    if (process.env.CI === 'true') throw new Error(server.why);
    t.skip(server.why);
    return undefined;
  }
  t.after(() => server.process.remove());
  return server;
}

/** As `withServer`, for a whole file: the server is there for all of `suite`. Where it cannot be had, one test, `title`, is skipped. */
export async function suiteWith<S extends { readonly process: ServerProcess }>(
  title: string,
  start: () => Promise<S | Unavailable>,
  suite: (server: S) => void | Promise<void>,
): Promise<void> {
  const server = await start();
  if (server instanceof Unavailable) {
    if (process.env.CI === 'true') throw new Error(server.why);
    test(title, { skip: server.why }, () => {});
    return;
  }
  try {
    await suite(server);
  } finally {
    // Behind what the suite itself closes.
    after(() => server.process.remove());
  }
}

/** A server that this machine does not have; `why` names it and says how to get it. */
export class Unavailable {
  readonly why: string;

  constructor(name: string, missing: string) {
    this.why = `${name} is not on this machine (${missing}): sudo bash scripts/install-servers.sh`;
  }
}
