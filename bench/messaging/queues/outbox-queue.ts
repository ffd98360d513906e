import { openOutbox } from '@holdfast/messaging';
import type { Place } from './place.ts';
import { BODY, type Queue } from './queue.ts';

/** Accepts, leases and completes as a relay does, without a broker in between. */
export async function outboxQueue({ end, engine, store }: Place): Promise<Queue> {
  const outbox = await openOutbox({ store });
  const body = JSON.stringify(BODY);
  const group = async (count: number) => {
    await outbox.accept(Array.from({ length: count }, () => ({ topic: 'events', body })));
    const leases = await store.lease(count, 5_000);
    if ((await store.complete(leases)) !== count) throw new Error('not all were there');
  };
  return {
    name: `outbox on ${engine}`,
    engine,
    single: () => group(1),
    group,
    async close() {
      await outbox.close();
      await end();
    },
  };
}
