import { isName } from '../accept/new-message.ts';
import type { MessageStore } from '../store.ts';

/** Read, and taken out, in one go: others wait for it. */
const LOT = 500;

/** Takes all jobs of a topic out of the queue, and tells of the ids of each lot. How many were queued. */
export async function withdrawAll(
  store: MessageStore,
  topic: string,
  withdrawn: (ids: readonly string[]) => Promise<void>,
): Promise<number> {
  if (!isName(topic)) {
    throw new TypeError(
      `cancelAll.topic must name a topic, as \`{ topic: 'resize-image' }\` does, not ${String(topic)}.`,
    );
  }
  let count = 0;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Awaited<ReturnType<MessageStore['listQueued']>> = await store.listQueued({
      limit: LOT,
      after,
    });
    const ids = page.messages.filter((each) => each.topic === topic).map(({ id }) => id);
    if (ids.length > 0) {
      count += await store.withdraw(ids);
      await withdrawn(ids);
    }
    after = page.next;
  }
  return count;
}
