import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface HeldAppSetup {
  /** Answers to a `POST` of these paths wait until they are released; everything else is 404 at once. */
  readonly answers: Readonly<
    Record<string, { readonly status?: number; readonly body?: string } | undefined>
  >;
  /** What it says of its subscriptions. @default none: 404 */
  readonly subscriptions?: readonly object[];
}

/** Answers an event only once it is released; `called` resolves with the first. */
export async function heldApp(t: TestContext, { answers, subscriptions }: HeldAppSetup) {
  const called = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let calls = 0;
  const server = http.createServer(async ({ method, url }, res) => {
    if (url === '/dapr/subscribe' && subscriptions !== undefined) {
      res.end(JSON.stringify(subscriptions));
      return;
    }
    const answer = method === 'POST' ? answers[url!] : undefined;
    if (answer === undefined) {
      res.writeHead(404).end();
      return;
    }
    calls += 1;
    called.resolve();
    await released.promise;
    res.writeHead(answer.status ?? 200).end(answer.body ?? '');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    called: called.promise,
    calls: () => calls,
    release: () => released.resolve(),
  };
}
