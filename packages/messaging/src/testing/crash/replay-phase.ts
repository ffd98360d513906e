import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sqliteStore } from '../../sqlite/index.ts';
import type { DeadLetter, MessageStore } from '../../store.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';
import { Victim } from './victim.ts';

const LETTERS = 200;
const ROOMY = { maxMessages: 1_000_000, maxBytes: 1_000_000_000 };

/**
 * A process that replays dead letters is killed in the middle of it, again and again: each letter is
 * dead or queued and never both or neither, and one that was queued is handed out once.
 */
export async function replayPhase({
  kills,
  random,
  directory,
  defer,
}: PhaseSettings): Promise<PhaseBooks> {
  const path = join(directory, 'outbox.db');
  const store = sqliteStore({ path, busyTimeoutMs: 5_000 });
  const victim = new Victim('./replay-process.ts', () => [path]);
  defer(() => store.close());
  defer(() => victim.end('SIGKILL'));
  const accepted = new Set<string>();
  const delivered = new Set<string>();
  const wrong: string[] = [];
  let [duplicates, between] = [0, 0];

  for (let kill = 0; kill < kills; kill += 1) {
    await addLetters(store, kill, accepted);
    await victim.start();
    await sleep(random.next() * 500);
    await victim.end('SIGKILL');

    const { queued, dead } = await store.stats();
    if (queued > 0 && dead > 0) between += 1;
    if (queued + dead + delivered.size !== accepted.size) {
      wrong.push(
        `kill ${kill}: ${queued} queued, ${dead} dead, ${delivered.size} delivered of ${accepted.size}`,
      );
    }
    for (;;) {
      const leases = await store.lease(100, 60_000);
      if (leases.length === 0) break;
      for (const { message } of leases) {
        if (delivered.has(message.id)) duplicates += 1;
        delivered.add(message.id);
      }
      await store.complete(leases);
    }
  }
  const left = new Set<string>();
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { letters: readonly DeadLetter[]; next: number | undefined } = await store.listDead(
      {
        limit: 500,
        after,
      },
    );
    for (const { message } of page.letters) left.add(message.id);
    after = page.next;
  }
  for (const id of delivered) if (left.has(id)) wrong.push(`${id} was delivered and is dead`);
  const { queued, dead } = await store.stats();
  return {
    kills,
    accepted: accepted.size,
    delivered: delivered.size,
    duplicates,
    queued,
    dead,
    lost: [...accepted].filter((id) => !delivered.has(id) && !left.has(id)),
    wrong,
    note: `${between} kills came in the middle of a replay`,
  };
}

async function addLetters(store: MessageStore, run: number, accepted: Set<string>): Promise<void> {
  const { dead } = await store.stats();
  const ids = Array.from({ length: LETTERS - Math.min(dead, LETTERS) }, (_, n) => `${run}-${n}`);
  const body = Buffer.from('x');
  const group = ids.map((id) => ({ id, topic: 'events', key: undefined, body, headers: {} }));
  await store.append([group], ROOMY);
  for (const id of ids) accepted.add(id);
  await store.bury(await store.lease(LETTERS, 60_000), 'refused');
}
