import type { Clock } from '@holdfast/core';
import { completeMessage } from '../accept/new-message.ts';
import type { GivenUp } from '../broker.ts';
import { checkInteger } from '../check.ts';
import { sealedWith } from '../encrypted/sealed-mark.ts';
import type { IncomingMessage, Message, NewMessage } from '../message.ts';
import type { DeadLetter, DeadPage, MessageStore } from '../store.ts';
import { chosenLetters, type DeadChoice } from './choose.ts';
import { type DeadGroup, deadGroups } from './dead-groups.ts';
import { keepGivenUp } from './keep-given-up.ts';
import { letterLine, parseLetterLine } from './letter-line.ts';
import { type ReplayOptions, type ReplayReport, replayDead } from './replay-dead.ts';

/** Messages the broker refused for good, kept until somebody decides. */
export interface DeadLetters {
  /** In the order accepted. `limit`: @default 100 (1 … 1_000). `after`: the `next` of the page before. */
  list(options?: { readonly limit?: number; readonly after?: number }): Promise<DeadPage>;

  /** Those that are chosen, in order, a page of them in memory at a time. */
  each(choice?: DeadChoice): AsyncIterable<DeadLetter>;

  /** What died and why: by topic and reason, the largest group first. */
  groups(choice?: DeadChoice): Promise<readonly DeadGroup[]>;

  /** One of them; undefined where no letter of that id is dead. */
  find(id: string): Promise<DeadLetter | undefined>;

  /**
   * Queues them again for the topic they were accepted for, behind what waits now; each replay
   * stays in the message's history. Says how many of the ids were dead.
   */
  replay(ids: readonly string[]): Promise<number>;

  /** The same for all that are chosen, at a rate; may be rehearsed, stopped, and gone on with. */
  replayAll(choice: DeadChoice, options?: ReplayOptions): Promise<ReplayReport>;

  /** Changes what is to be sent; the edit stays in its history. False where no letter of that id is dead. */
  edit(id: string, change: DeadEdit): Promise<boolean>;

  /** Forgets them for ever. Says how many of the ids were dead. */
  discard(ids: readonly string[]): Promise<number>;

  /** The same for all that are chosen. */
  discardAll(choice: DeadChoice): Promise<number>;

  /**
   * Makes a dead letter of what a subscriber of a broker gave up, with its reason, stack and history: to be given as
   * `giveUp.to` of `subscribe`. Its replay goes to the topic it came from, to all groups.
   */
  keep(message: IncomingMessage, error: unknown, given?: GivenUp): Promise<void>;

  /** Each as a line of JSON, without its end. */
  export(choice?: DeadChoice): AsyncIterable<string>;

  /** Adds letters that `export` wrote. Ids that are known are left out. A line that is wrong ends it, and is named. */
  import(lines: AsyncIterable<string> | Iterable<string>): Promise<ImportReport>;
}

/** What of a letter is to be another; what is left out stays. */
export type DeadEdit = Partial<Pick<NewMessage, 'topic' | 'body' | 'headers'>>;

export interface ImportReport {
  readonly added: number;
  readonly known: number;
}

export interface DeadLettersEnv {
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  /** Called when a replay has put messages into the queue. */
  readonly changed: () => void;
}

/** Read, or written, in one go. */
const LOT = 100;

export function deadLetters(store: MessageStore, env: DeadLettersEnv): DeadLetters {
  return {
    async list({ limit = 100, after } = {}) {
      checkInteger('dead.list.limit', limit, 1, 1_000);
      return store.listDead(after === undefined ? { limit } : { limit, after });
    },
    each: (choice = {}) => chosenLetters(store, choice),
    groups: (choice = {}) => deadGroups(store, choice),
    find: (id) => store.findDead(id),
    async replay(ids) {
      const replayed = await store.replay(ids);
      if (replayed > 0) env.changed();
      return replayed;
    },
    replayAll: async (choice, options = {}) => replayDead(store, choice, options, env),
    async edit(id, change) {
      const letter = await store.findDead(id);
      if (letter === undefined) return false;
      refuseSealed(letter.message);
      const { key, ...kept } = letter.message;
      const edited: NewMessage = { ...kept, ...change, id, ...(key === undefined ? {} : { key }) };
      const message = completeMessage(edited, env.maxBodyBytes, env.clock.wallMs());
      return store.amendDead(message, wordsOf(letter.message, message));
    },
    discard: (ids) => store.discard(ids),
    async discardAll(choice) {
      let discarded = 0;
      let lot: string[] = [];
      const flush = async () => {
        if (lot.length > 0) discarded += await store.discard(lot);
        lot = [];
      };
      for await (const { message } of chosenLetters(store, choice)) {
        lot.push(message.id);
        if (lot.length === LOT) await flush();
      }
      await flush();
      return discarded;
    },
    keep: (message, error, given) => keepGivenUp(store, message, error, env.clock, given),
    async *export(choice = {}) {
      for await (const letter of chosenLetters(store, choice)) yield letterLine(letter);
    },
    async import(lines) {
      let added = 0;
      let read = 0;
      let lot: DeadLetter[] = [];
      const flush = async () => {
        if (lot.length > 0) added += await store.addDead(lot);
        read += lot.length;
        lot = [];
      };
      let number = 0;
      for await (const line of lines) {
        number += 1;
        if (line.trim() === '') continue;
        lot.push(parseLetterLine(line, number));
        if (lot.length === LOT) await flush();
      }
      await flush();
      return { added, known: read - added };
    },
  };
}

/** Half of it would be edited, and the other half stay cipher text. */
function refuseSealed(message: Message): void {
  const key = sealedWith(message);
  if (key === undefined) return;
  throw new Error(
    `"${message.id}" cannot be edited: it is encrypted with key "${key}", which was not given. Open its store with encryptedStore and that key.`,
  );
}

/** For the history: which parts are others now. */
function wordsOf(before: Message, after: Message): string {
  const parts = [
    before.topic === after.topic ? '' : `topic was ${before.topic}`,
    Buffer.compare(before.body, after.body) === 0 ? '' : `body had ${before.body.byteLength} bytes`,
    JSON.stringify(before.headers) === JSON.stringify(after.headers) ? '' : 'headers',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
