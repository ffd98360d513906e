import { AsyncLocalStorage } from 'node:async_hooks';

/** Aborts when the client of a call gives it up; made only when policies ask. */
export type GivenUp = () => AbortSignal;

const clients = new AsyncLocalStorage<{ readonly givenUp: GivenUp; answered: boolean }>();

/**
 * Does what a client has called for, and lets the policies of components know when nobody waits
 * for it any more: they would try again until all retries are used up, which may be never.
 */
export async function forClient<T>(givenUp: GivenUp, work: () => Promise<T>): Promise<T> {
  const client = { givenUp, answered: false };
  try {
    return await clients.run(client, work);
  } finally {
    // What goes on after the answer, such as events on their way, is not the client's to give up.
    client.answered = true;
  }
}

/** Of the client that waits for what is being done; undefined where none does. */
export function waitingClient(): AbortSignal | undefined {
  const client = clients.getStore();
  return client === undefined || client.answered ? undefined : client.givenUp();
}
