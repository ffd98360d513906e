import type { OpenPubSub } from '../components/component-places.ts';
import type { PolicyBook } from '../policies/policy-book.ts';
import type { SidecarMetrics } from './sidecar-metrics.ts';

/** The page of a scrape. Looking at a circuit whose time is over makes it half-open, and so the scrape tells. */
export async function metricsPage(
  book: PolicyBook,
  pubsub: ReadonlyMap<string, OpenPubSub>,
  metrics: SidecarMetrics,
): Promise<string> {
  book.circuits();
  for (const [name, { outbox }] of pubsub) {
    if (outbox === undefined) continue;
    // A file that cannot be read keeps its last figures; its trouble is in the log.
    const stats = await outbox.stats().catch(() => undefined);
    metrics.outbox(name, stats, outbox.refusal() !== undefined);
  }
  return metrics.render();
}
