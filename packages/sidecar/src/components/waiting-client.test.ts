import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forClient, waitingClient } from './waiting-client.ts';

describe('the client that waits', () => {
  test('is known to all that is done for it, and to nothing else', async () => {
    const { signal } = new AbortController();
    const seen: unknown[] = [waitingClient()];

    await forClient(
      () => signal,
      async () => {
        seen.push(waitingClient());
        await Promise.resolve();
        seen.push(waitingClient());
      },
    );
    seen.push(waitingClient());

    assert.deepEqual(seen, [undefined, signal, signal, undefined]);
  });

  test('is no more once it is answered: an event on its way does not end with its publisher', async () => {
    const answered = Promise.withResolvers<void>();
    let later: Promise<unknown> | undefined;

    await forClient(
      () => AbortSignal.abort(),
      async () => {
        later = answered.promise.then(waitingClient);
      },
    );
    answered.resolve();

    assert.equal(await later, undefined);
  });

  test('is no more after an error either', async () => {
    let later: Promise<unknown> | undefined;

    const failing = forClient(
      () => AbortSignal.abort(),
      async () => {
        later = new Promise<void>((resolve) => setImmediate(resolve)).then(waitingClient);
        throw new Error('no');
      },
    );

    await assert.rejects(failing, /^Error: no$/);
    assert.equal(await later, undefined);
  });
});
