import type { Message } from '../message.ts';
import type { DeadLetter, MessageStore } from '../store.ts';
import type { KeyRing } from './keys.ts';
import { seal, unseal } from './seal.ts';
import { sealedWith } from './sealed-mark.ts';

/** How many messages a key is still needed for. */
export interface KeyCount {
  /** A key's id, of those given and any other that was found; undefined: not encrypted. */
  readonly key: string | undefined;
  /** Among the keys given. */
  readonly given: boolean;
  readonly queued: number;
  readonly dead: number;
}

export interface RotationReport {
  /** Dead letters that are encrypted with the first key now and were not before. */
  readonly rewritten: number;
  /** Dead letters that cannot be decrypted with the keys given, and were left as they are. */
  readonly unreadable: number;
  /** Given, not the first, and needed by nothing in the store: may be left out from now on. */
  readonly unneeded: readonly string[];
  /** What the keys are needed for after it. */
  readonly counts: readonly KeyCount[];
}

const PAGE = 200;

/** Reads all that waits and all that is dead, a page in memory at a time. */
export async function countByKey(store: MessageStore, ring: KeyRing): Promise<readonly KeyCount[]> {
  const counts = new Map<string | undefined, { queued: number; dead: number }>();
  for (const id of ring.byId.keys()) counts.set(id, { queued: 0, dead: 0 });
  const count = (message: Message, state: 'queued' | 'dead') => {
    const key = sealedWith(message);
    const found = counts.get(key) ?? { queued: 0, dead: 0 };
    found[state] += 1;
    counts.set(key, found);
  };
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await store.listQueued({ limit: PAGE, after });
    for (const message of page.messages) count(message, 'queued');
    after = page.next;
  }
  for await (const { message } of letters(store)) count(message, 'dead');
  return [...counts].map(([key, found]) => ({
    key,
    given: key !== undefined && ring.byId.has(key),
    ...found,
  }));
}

/** Encrypts dead letters anew that are plain or have another key than the first. */
export async function rotate(store: MessageStore, ring: KeyRing): Promise<RotationReport> {
  let rewritten = 0;
  let unreadable = 0;
  for await (const { message } of letters(store)) {
    if (sealedWith(message) === ring.first.id) continue;
    const opened = unseal(message, ring);
    if (opened.kind !== 'open') {
      unreadable += 1;
      continue;
    }
    const detail = `encrypted with key ${ring.first.id}`;
    if (await store.amendDead(seal(opened.message, ring.first), detail)) rewritten += 1;
  }
  const counts = await countByKey(store, ring);
  const unneeded = counts
    .filter(({ key, queued, dead }) => key !== ring.first.id && queued === 0 && dead === 0)
    .map(({ key }) => key)
    .filter((key) => key !== undefined);
  return { rewritten, unreadable, unneeded, counts };
}

async function* letters(store: MessageStore): AsyncGenerator<DeadLetter> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await store.listDead({ limit: PAGE, after });
    yield* page.letters;
    after = page.next;
  }
}
