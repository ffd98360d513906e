import type { Message, Replaces } from './message.ts';

/**
 * Where a message waits between being accepted and being handed to a broker.
 *
 * Every store keeps these promises, and `testing/contracts/store-contract.ts` holds each
 * adapter to them:
 *
 * 1. `append` resolves when its messages would survive a power cut, not before; a group that is
 *    refused leaves nothing behind.
 * 2. An id is accepted once, also after it was delivered or died (for as long as it is remembered).
 * 3. No two live leases hold the same message.
 * 4. Messages of one topic and key are leased in the order appended; while one of them is leased
 *    or waits, the later ones wait. A message with a delay counts as appended when it is due.
 * 5. A message leaves by `complete`, `bury`, `withdraw` or another that replaces it, and by these alone. A worker that dies loses its lease,
 *    never the message.
 * 6. A lease that has lapsed changes nothing any more; one on a withdrawn message has.
 * 7. Counters (`stats`) survive whatever the messages survive.
 * 8. A dead letter keeps its body, its reason and its history until it is replayed, discarded or
 *    older or one more than somebody asked to keep.
 * 9. A store that cannot keep a promise throws `StoreUnavailableError` instead of pretending.
 * 10. No message is leased before its delay is over. Of those due the highest priority is leased
 *    first, and among equals the one that has been due the longest.
 * 11. The same lease, or id, given twice in one call counts once.
 * 12. `find` tells whether a live lease holds a message, and what `note` said last of it under that very
 *     lease: nothing of an earlier one.
 * 13. Of a topic that is paused nothing is leased, by whichever process, until it is resumed or the pause
 *     is over; leases that are there go on. A pause survives whatever the messages survive.
 * 14. A lease tells whether its message's lifetime was over when it was leased. After a replay it has none.
 * 15. A message that replaces others takes all of its topic and name out of the queue that no live lease holds, in
 *     the transaction that appends it: of one name one waits, whoever appends. Their ids stay known, and `find` says that they were
 *     replaced. Where it is due at once it stands in the place of the first of them that is in the queue. An id that was known replaces nothing.
 * 16. What `complete` is given of a result is found with its message, from the moment that this one is delivered until its time is
 *     over; nothing of a lease that had lapsed.
 *
 * The interface speaks of durations, never of moments: the store's own clock is
 * then the only one that counts, and workers whose clocks disagree do no harm.
 */
export interface MessageStore {
  /** Tries to become ready. Rejects with `StoreUnavailableError`; later calls try again. */
  open(): Promise<void>;

  /** Appends each group whole or not at all, all of them in one transaction. */
  append(groups: readonly AppendGroup[], limits: StoreLimits): Promise<readonly AppendResult[]>;

  /**
   * Takes up to `limit` due messages, the urgent first, hidden from others for `leaseMs` (0 … 600_000).
   * Where `topics` are named, of these alone.
   */
  lease(limit: number, leaseMs: number, topics?: readonly string[]): Promise<readonly Lease[]>;

  // Each of these says for how many leases it was done; it does nothing for one that has lapsed.
  /** Delivered: gone, but for its id, and for what is given here of what came of it. */
  complete(leases: readonly Lease[], results?: readonly LeaseResult[]): Promise<number>;
  /** Hidden for `leaseMs` more from now. */
  renew(leases: readonly Lease[], leaseMs: number): Promise<number>;
  /**
   * Given back, due again after `delayMs` (0 … 2^31 − 1: 24.8 days). `attempted: false` takes back the
   * counted delivery.
   */
  release(leases: readonly Lease[], options: ReleaseOptions): Promise<number>;
  /** Dead: kept aside with the reason. */
  bury(leases: readonly Lease[], reason: string): Promise<number>;

  /** Keeps a line of how far each is, until its lease ends: for how many that are still held. A power cut may forget it. */
  note(notes: readonly LeaseNote[]): Promise<number>;

  /** Takes messages out of the queue, leased ones too, and keeps their ids. How many of the ids were queued. */
  withdraw(ids: readonly string[]): Promise<number>;

  /**
   * Pauses a topic, for `forMs` from now or until it is resumed; also one that nothing was ever appended to. False where it
   * was paused already: the end it has then is this one.
   */
  pause(topic: string, forMs?: number): Promise<boolean>;
  /** False where it was not paused. */
  resume(topic: string): Promise<boolean>;

  stats(): Promise<StoreStats>;
  find(id: string): Promise<MessageStatus | undefined>;

  /** What is queued, in order, after `after` (the `next` of the page before). */
  listQueued(options: { readonly limit: number; readonly after?: number }): Promise<QueuedPage>;

  /** Dead letters, in the order accepted, after `after` (the `next` of the page before). */
  listDead(options: { readonly limit: number; readonly after?: number }): Promise<DeadPage>;
  /** The dead letter of that id. */
  findDead(id: string): Promise<DeadLetter | undefined>;
  /** Puts `message` in the place of the dead letter of its id, with `detail` in the history. False where none is dead. */
  amendDead(message: Message, detail: string): Promise<boolean>;
  /**
   * Adds letters that died elsewhere. Ids that are known are left out, but those of delivered messages where
   * `inPlaceOfDelivered` says so. How many were added.
   */
  addDead(letters: readonly DeadLetter[], options?: AddDeadOptions): Promise<number>;
  /** Puts dead letters back in the queue, at its end, with a mark; their deliveries begin anew. How many of the ids were dead. */
  replay(ids: readonly string[]): Promise<number>;
  /** Forgets dead letters. How many of the ids were dead. */
  discard(ids: readonly string[]): Promise<number>;
  /**
   * Forgets what has been dead the longest and is more than `keep` allows, `limit` at most: call it
   * again while it returns `limit`. How many it forgot.
   */
  purgeDead(keep: DeadRetention, limit: number): Promise<number>;

  /**
   * Where a store can tell, `changed` is called when another process may have appended something.
   * Ends with the function it returns. Without it others are found by polling.
   */
  watch?(changed: () => void): () => void;

  close(): Promise<void>;
}

export interface AddDeadOptions {
  /** What was delivered from here and died behind the broker is dead now, and its id is no longer known as delivered. @default false */
  readonly inPlaceOfDelivered?: boolean;
}

/** A message to be kept, with when and how soon it is to be delivered. */
export interface AppendMessage extends Message {
  /** Leased no sooner than this after it was appended. @default 0 ms */
  readonly delayMs?: number;
  /** 0 … 9; of no effect on a message with a key. @default 0 */
  readonly priority?: number;
  /** Of no use when it is leased later than this after it was due. @default for ever */
  readonly lifetimeMs?: number;
  /** Takes the place of others of its topic. @default of none */
  readonly replaces?: Replaces;
}

export type AppendGroup = readonly AppendMessage[];

/** How many dead letters are kept, and for how long; what is left out has no limit. */
export interface DeadRetention {
  readonly maxAgeMs?: number;
  readonly maxCount?: number;
}

export interface StoreLimits {
  /** Messages waiting, leased ones included. */
  readonly maxMessages: number;
  /** Bytes of bodies, keys and headers waiting. */
  readonly maxBytes: number;
}

/** `duplicates[i]`: message i of the group was known. Or the queue was full and nothing was kept. */
export type AppendResult =
  | { readonly kind: 'kept'; readonly duplicates: readonly boolean[] }
  | { readonly kind: 'full'; readonly queued: number; readonly queuedBytes: number };

export interface ReleaseOptions {
  readonly delayMs: number;
  /** Goes into the message's history. */
  readonly error?: string;
  /** @default true */
  readonly attempted?: boolean;
}

/** A message held by one worker for a while. */
export interface Lease {
  /** Names this lease, not the message: the next lease of the same message differs. */
  readonly token: string;
  /** The message's place in the queue. */
  readonly seq: number;
  readonly message: Message;
  /** 1 the first time the message is leased, and the first time after a replay. */
  readonly delivery: number;
  /** Its lifetime is over: nobody wants it any more. */
  readonly expired: boolean;
}

/** A topic of which nothing is leased for now. */
export interface PausedTopic {
  readonly topic: string;
  /** How long it has been so, in milliseconds. */
  readonly forMs: number;
  /** When it is over by itself; undefined where somebody has to end it. In milliseconds. */
  readonly endsInMs: number | undefined;
}

/** What came of a message, kept with its being complete. */
export interface LeaseResult {
  readonly lease: Lease;
  /** Without U+0000. */
  readonly text: string;
  /** Found for so long after that, and while the id is known. In milliseconds. */
  readonly keptMs: number;
}

/** How far whoever holds a lease is, in a line for people. */
export interface LeaseNote {
  readonly lease: Lease;
  readonly text: string;
}

export interface StoreStats {
  /** Accepted and neither delivered nor dead; leased ones and those with a due time included. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Delivered since the store was made. */
  readonly successful: number;
  readonly dead: number;
  /** How long the message that has been due the longest has been so, in milliseconds; 0 when none is due. */
  readonly oldestMs: number;
  /** Topics that are paused, in the order of their names. */
  readonly paused: readonly PausedTopic[];
}

export interface MessageStatus {
  readonly id: string;
  readonly state: 'queued' | 'delivered' | 'dead' | 'withdrawn' | 'replaced';
  readonly deliveries: number;
  /** A relay or a worker has it in hand now. */
  readonly leased: boolean;
  /** What whoever has it in hand said last of how far it is. */
  readonly progress: string | undefined;
  /** What came of it, where whoever completed it had that kept. */
  readonly result: string | undefined;
  readonly history: readonly HistoryEntry[];
}

/** What happened to a message besides being accepted and delivered. The last 20 are kept. */
export interface HistoryEntry {
  /** Wall-clock moment, for people. */
  readonly at: string;
  readonly what: 'failed' | 'ended' | 'died' | 'replayed' | 'edited';
  readonly detail: string;
}

export interface DeadLetter {
  readonly message: Message;
  readonly reason: string;
  readonly deliveries: number;
  readonly replays: number;
  /** How long it has been dead, in milliseconds. */
  readonly deadForMs: number;
  readonly history: readonly HistoryEntry[];
}

export interface DeadPage {
  readonly letters: readonly DeadLetter[];
  /** Give it as `after` for the next page; undefined on the last. */
  readonly next: number | undefined;
}

export interface QueuedPage {
  readonly messages: readonly Message[];
  /** Give it as `after` for the next page; undefined on the last. */
  readonly next: number | undefined;
}

/** Somebody withdrew it, or another message took its place: nobody is to handle it any more. */
export function wasTakenBack(found: MessageStatus | undefined): boolean {
  return found?.state === 'withdrawn' || found?.state === 'replaced';
}

/** What a history keeps. */
export const HISTORY_LIMIT = 20;

/** Order per key comes before urgency: only messages without a key have a priority. */
export function priorityOf({ key, priority = 0 }: AppendMessage): number {
  return key === undefined ? priority : 0;
}

/** Bytes a message counts for in limits. */
export function sizeOf(message: Message): number {
  let bytes = message.body.byteLength + message.topic.length + (message.key?.length ?? 0);
  for (const name in message.headers) bytes += name.length + (message.headers[name] ?? '').length;
  return bytes;
}
