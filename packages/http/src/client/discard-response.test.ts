import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discardResponse } from './discard-response.ts';

test('a short body is read to its end, which frees its connection', async () => {
  assert.deepEqual(await discarded({ chunks: 3 }), { read: 3, cancelled: false });
});

test('of a long body 64 KiB are read, and the rest is cancelled', async () => {
  assert.deepEqual(await discarded({ chunks: 1_000 }), { read: 4, cancelled: true });
});

test('an answer without a body, or whose body breaks, harms nobody', async () => {
  await discardResponse(new Response(null, { status: 204 }));

  assert.deepEqual(await discarded({ chunks: 3, breaksAt: 2 }), { read: 1, cancelled: false });
});

test('a body that somebody reads is left to them: to take it away failed, and nobody heard of that', async () => {
  const response = new Response('answer');
  const text = response.text();
  await discardResponse(response);
  const reading = new Response('answer');
  const reader = reading.body!.getReader();
  await discardResponse(reading);
  assert.deepEqual([await text, (await reader.read()).value?.byteLength], ['answer', 6]);
});

/** Discards a response of so many chunks of 20,000 bytes and says what became of them. */
async function discarded({ chunks, breaksAt = Infinity }: { chunks: number; breaksAt?: number }) {
  let read = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (read + 1 === breaksAt) throw new Error('reset');
        if (read === chunks) return controller.close();
        read += 1;
        controller.enqueue(new Uint8Array(20_000));
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  await discardResponse(new Response(body));
  return { read, cancelled };
}
