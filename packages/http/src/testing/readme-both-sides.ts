import { createServer } from 'node:http';
import { bulkhead, pipeline, timeout } from '@holdfast/core';
import { createClient, nodeHandler } from '@holdfast/http';

// Policies are data: the same ones may stand on both sides, each with a state of its own.
const policies = [bulkhead({ limit: 2 }), timeout({ limitMs: 2_000 })];

/** Whoever calls it, two orders are worked on at a time; the rest hear 503 at once. */
export const server = createServer(
  nodeHandler(pipeline('orders, served', policies), async (request, response, { signal }) => {
    response.end(await work(request.url ?? '/', signal));
  }),
);

/** Two orders are asked for at a time; the rest are refused here, and cost the server nothing. */
export const orders = (baseUrl: string) =>
  createClient({ baseUrl, pipeline: pipeline('orders, asked for', policies) });

/** Work that goes on until it is let go, or nobody waits for it. */
function work(url: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    under.set(url, () => resolve(`done: ${url}`));
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

/** What is being worked on, and how to let it go. */
export const under = new Map<string, () => void>();
