import { type EchoApp, type Seen, startEchoApp } from '../makes/echo-app.ts';

interface Wanted {
  readonly topic: string;
  /** Under which `texts` are looked up. @default the topic */
  readonly name?: string;
  /** @default 'broker' */
  readonly pubsub?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An application of its own that subscribes to topics, takes all that comes, and remembers each text once. */
export function subscriberApp(wanted: readonly Wanted[]) {
  const received = wanted.map(() => new Map<string, Seen['headers']>());
  const of = (name: string) =>
    received[wanted.findIndex((one) => (one.name ?? one.topic) === name)]!;
  let app: EchoApp | undefined;
  return {
    /** Resolves with its port. */
    async start(): Promise<number> {
      app = await startEchoApp(({ body, headers, url }) => {
        if (url === '/dapr/subscribe') {
          const all = wanted.map(({ metadata = {}, pubsub = 'broker', topic }, at) => ({
            ...{ pubsubname: pubsub, topic, metadata, route: `/on-${at}` },
          }));
          return { status: 200, body: JSON.stringify(all) };
        }
        const at = /^\/on-(\d+)$/.exec(url)?.[1];
        if (at === undefined) return undefined;
        received[Number(at)]!.set(String(JSON.parse(body).data), headers);
        return { status: 200, body: '' };
      });
      return app.port;
    },
    texts: (name: string): ReadonlySet<string> => new Set(of(name).keys()),
    /** Of the last delivery of a text. */
    headersOf: (name: string, text: string): Seen['headers'] | undefined => of(name).get(text),
    async close(): Promise<void> {
      await app?.close();
    },
  };
}
