import { type Broker, type MessageStore, openOutbox } from '@holdfast/messaging';

export interface Backlog {
  readonly acceptedPerSecond: number;
  readonly drainedPerSecond: number;
  readonly drainMs: number;
  /** Resident memory beyond what it was with a tenth of the backlog, at most, in MB. */
  readonly grownMb: number;
  readonly drainGrownMb: number;
}

const GROUP = 1_000;

/** Accepts `events` while no relay runs, then hands all of them to a broker that takes whatever comes. */
export async function backlog(store: MessageStore, events: number, body: string): Promise<Backlog> {
  const outbox = await openOutbox({ store });
  const group = Array.from({ length: GROUP }, (_, n) => ({
    topic: 'events',
    key: `k${n % 50}`,
    body,
  }));
  const memory = new Memory();
  const startedMs = performance.now();
  for (let done = 0; done < events; done += GROUP) {
    await outbox.accept(group);
    if (done === events / 10) memory.begin();
    memory.look();
  }
  const acceptedMs = performance.now() - startedMs;
  const grownMb = memory.grownMb();

  memory.begin();
  const drainingMs = performance.now();
  const relay = outbox.relay(tinCan, { batchSize: 500 });
  for (;;) {
    memory.look();
    if ((await outbox.stats()).queued === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const drainMs = performance.now() - drainingMs;
  await relay.stop();
  await outbox.close();
  return {
    acceptedPerSecond: (events / acceptedMs) * 1_000,
    drainedPerSecond: (events / drainMs) * 1_000,
    drainMs,
    grownMb,
    drainGrownMb: memory.grownMb(),
  };
}

const tinCan: Broker = {
  publish: async () => {},
  subscribe: async () => {
    throw new Error('unreachable: nobody subscribes');
  },
  close: async () => {},
};

class Memory {
  #first = 0;
  #most = 0;

  begin(): void {
    this.#first = process.memoryUsage.rss();
    this.#most = this.#first;
  }

  look(): void {
    this.#most = Math.max(this.#most, process.memoryUsage.rss());
  }

  grownMb(): number {
    return (this.#most - this.#first) / 2 ** 20;
  }
}
