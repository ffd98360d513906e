import { type AcceptsIn, type AppendsIn, acceptIn } from '../accept/accept-in.ts';
import type { Message } from '../message.ts';
import type { AppendGroup, DeadLetter, Lease, MessageStore } from '../store.ts';
import {
  type EncryptedStoreOptions,
  type ResolvedEncryption,
  resolveEncryptedStoreOptions,
} from './options.ts';
import { countByKey, type KeyCount, type RotationReport, rotate } from './rotation.ts';
import { seal, unseal } from './seal.ts';
import { sealResult, unsealResult } from './seal-result.ts';
import { SEALED_HEADER, sealedWith } from './sealed-mark.ts';
import { sortLeases } from './sort-leases.ts';

export interface EncryptedStore extends MessageStore {
  /**
   * Encrypts dead letters with the first key that have another or none, and says which keys nothing
   * needs any more. What is queued keeps its key until it is delivered. A letter that somebody edits
   * in the same moment may be put back as it was before: do not do both at once.
   */
  rotate(): Promise<RotationReport>;
  /** How many messages each key is needed for. Reads all that waits and all that is dead. */
  countByKey(): Promise<readonly KeyCount[]>;
}

/** How long a message waits, for want of a key, until it is looked at again. */
const WAIT_MS = 10_000;
/** Leased at once while nothing is found that can be read, and in one call at most. */
const LOT = 100;
const MOST_LOOKED_AT = 1_000;
/** So many that wait are remembered, to be told of once. */
const MOST_TOLD = 100_000;

/**
 * Any store, with bodies, headers and results encrypted at rest (AES-256-GCM). In clear stay: id, topic, key,
 * the name under which it is replaced, the size, moments, and the reasons and history of failures. Limits count what is kept, which is
 * 58 bytes and the length of the key's id more for each message, and 8 or so for each header.
 *
 * Nothing is lost and nothing delivered broken: what is encrypted with a key that is not given, or by a
 * newer version, waits in the queue with those of its key behind it, and others pass; what was changed
 * or damaged becomes a dead letter.
 */
export function encryptedStore<Client>(
  store: MessageStore & AppendsIn<Client>,
  options: EncryptedStoreOptions,
): EncryptedStore & AppendsIn<Client> & AcceptsIn<Client>;
export function encryptedStore(store: MessageStore, options: EncryptedStoreOptions): EncryptedStore;
export function encryptedStore(
  store: MessageStore & Partial<AppendsIn<unknown>>,
  options: EncryptedStoreOptions,
): EncryptedStore {
  const resolved = resolveEncryptedStoreOptions(options);
  const { ring, clock } = resolved;
  const sealed = (group: AppendGroup) => {
    for (const message of group) refuseMark(message);
    return group.map((message) => seal(message, ring.first));
  };
  const open = <M extends Message>(message: M): M => {
    const opened = unseal(message, ring);
    return opened.kind === 'open' ? opened.message : message;
  };
  const openLetter = (letter: DeadLetter) => ({ ...letter, message: open(letter.message) });
  const sort = leaseSorter(store, resolved);

  const wrapper: EncryptedStore = {
    open: () => store.open(),
    append: async (groups, limits) => store.append(groups.map(sealed), limits),

    async lease(limit, leaseMs, topics) {
      for (let looked = 0, lot = limit; looked < MOST_LOOKED_AT; lot = Math.max(limit, LOT)) {
        const leases = await store.lease(lot, leaseMs, topics);
        if (leases.length === 0) break;
        looked += leases.length;
        const found = await sort(leases);
        if (found.length === 0) continue;
        const surplus = found.slice(limit);
        if (surplus.length > 0) await store.release(surplus, { delayMs: 0, attempted: false });
        return found.slice(0, limit);
      }
      return [];
    },
    complete: (leases, results = []) =>
      store.complete(
        leases,
        results.map(({ lease, text, keptMs }) => {
          return { lease, text: sealResult(lease.message.id, text, ring.first), keptMs };
        }),
      ),
    renew: (leases, leaseMs) => store.renew(leases, leaseMs),
    release: (leases, release) => store.release(leases, release),
    bury: (leases, reason) => store.bury(leases, reason),
    note: (notes) => store.note(notes),
    withdraw: (ids) => store.withdraw(ids),

    pause: (topic, forMs) => store.pause(topic, forMs),
    resume: (topic) => store.resume(topic),

    stats: () => store.stats(),
    async find(id) {
      const found = await store.find(id);
      if (found?.result === undefined) return found;
      return { ...found, result: unsealResult(id, found.result, ring) };
    },
    async listQueued(page) {
      const { messages, next } = await store.listQueued(page);
      return { messages: messages.map(open), next };
    },
    async listDead(page) {
      const { letters, next } = await store.listDead(page);
      return { letters: letters.map(openLetter), next };
    },
    async findDead(id) {
      const letter = await store.findDead(id);
      return letter && openLetter(letter);
    },
    async amendDead(message, detail) {
      refuseMark(message);
      return store.amendDead(seal(message, ring.first), detail);
    },
    // Letters that came out encrypted, for want of their key, go in as they are.
    addDead: async (letters, options) =>
      store.addDead(
        letters.map((letter) =>
          sealedWith(letter.message) === undefined
            ? { ...letter, message: seal(letter.message, ring.first) }
            : letter,
        ),
        options,
      ),
    replay: (ids) => store.replay(ids),
    discard: (ids) => store.discard(ids),
    purgeDead: (keep, limit) => store.purgeDead(keep, limit),
    close: () => store.close(),

    rotate: () => rotate(store, ring),
    countByKey: () => countByKey(store, ring),
  };
  const { watch, appendIn, tracer } = store;
  if (watch !== undefined) wrapper.watch = watch.bind(store);
  if (appendIn === undefined) return wrapper;
  const within: AppendsIn<unknown> & AcceptsIn<unknown> = {
    tracer,
    appendIn: async (client, group, limits) => appendIn.call(store, client, sealed(group), limits),
    acceptIn: (client, messages, limits) =>
      acceptIn({ clock, appendIn: within.appendIn, tracer }, client, messages, limits),
  };
  return Object.assign(wrapper, within);
}

/** Opens what can be opened; gives back or buries the rest, and tells of each once. */
function leaseSorter(store: MessageStore, encryption: ResolvedEncryption) {
  const told = new Set<string>();
  return async (leases: readonly Lease[]): Promise<readonly Lease[]> => {
    const { open, waiting, behind, broken } = sortLeases(leases, encryption);
    const byError = Map.groupBy(waiting, ({ lease, why }) =>
      told.has(lease.message.id) ? undefined : why,
    );
    const wait = { delayMs: WAIT_MS, attempted: false };
    for (const [error, some] of byError) {
      const held = some.map(({ lease }) => lease);
      // Once: a history holds twenty entries, and one for each look would push out the rest.
      await store.release(held, error === undefined ? wait : { ...wait, error });
      if (error === undefined) continue;
      for (const { lease } of some) {
        if (told.size === MOST_TOLD) told.clear();
        told.add(lease.message.id);
        encryption.onUnreadable({ message: lease.message, reason: error, dead: false });
      }
    }
    if (behind.length > 0) await store.release(behind, { delayMs: 0, attempted: false });
    for (const { lease, why } of broken) {
      await store.bury([lease], why);
      encryption.onUnreadable({ message: lease.message, reason: why, dead: true });
    }
    return open;
  };
}

function refuseMark(message: Message): void {
  if (sealedWith(message) === undefined) return;
  throw new TypeError(
    `message.headers["${SEALED_HEADER}"] says that the body of "${message.id}" is encrypted already: leave that header to encryptedStore.`,
  );
}
