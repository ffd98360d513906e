import { eventually } from '@holdfast/test-servers';
import type { Seen } from '../makes/echo-app.ts';

/** As both makes write it. */
export const event = (data: string) =>
  JSON.stringify({
    data,
    datacontenttype: 'application/json',
    id: data,
    pubsubname: 'broker',
    source: 'somebody',
    specversion: '1.0',
    topic: 'early',
    type: 'com.dapr.event.sent',
  });

const TOPICS = ['early', 'layout', 'flaky', 'dropped', 'unknown'];

/**
 * An application that subscribes to topics of `broker` and answers each as its name says; to
 * `more` too, each under a name of its own, and raw where that begins with `raw`.
 */
export function eventApp(more: Readonly<Record<string, string>> = {}) {
  const received = new Map<string, Seen[]>();
  return {
    instead(seen: Seen) {
      if (seen.url === '/dapr/subscribe') {
        const named = [...TOPICS.map((topic) => [topic, topic]), ...Object.entries(more)];
        const wanted = named.map(([name = '', topic]) => ({
          ...{ pubsubname: 'broker', topic, route: `/on-${name}` },
          ...(name.startsWith('raw') ? { metadata: { rawPayload: 'true' } } : {}),
        }));
        return { status: 200, body: JSON.stringify(wanted) };
      }
      const topic = /^\/on-(.+)$/.exec(seen.url)?.[1];
      if (topic === undefined) return undefined;
      const before = received.get(topic) ?? [];
      received.set(topic, [...before, seen]);
      if (topic === 'unknown') return { status: 404, body: '' };
      if (topic === 'dropped') return { status: 200, body: '{"status":"DROP"}' };
      return { status: topic === 'flaky' && before.length < 2 ? 503 : 200, body: '' };
    },
    /** Resolves when `wanted` events of a topic have come. */
    arrived: (topic: string, wanted: number): Promise<readonly Seen[]> =>
      eventually(
        () => received.get(topic) ?? [],
        (here) => here.length >= wanted,
        `${wanted} events of ${topic} come`,
      ),
  };
}
