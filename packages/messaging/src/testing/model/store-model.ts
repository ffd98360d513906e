import type { Message } from '../../message.ts';
import {
  type AddDeadOptions,
  type AppendMessage,
  type DeadLetter,
  type DeadRetention,
  HISTORY_LIMIT,
  priorityOf,
  sizeOf,
} from '../../store.ts';

interface Item {
  readonly id: string;
  message: Message;
  expireMs: number;
  state: 'queued' | 'delivered' | 'dead' | 'withdrawn' | 'replaced';
  priority: number;
  /** Not in the queue before; 0 once it is. */
  startMs: number;
  token: string;
  busyUntilMs: number;
  deliveries: number;
  note: string | undefined;
  replays: number;
  diedMs: number;
  reason: string;
  history: readonly string[];
  /** Under which others take its place, and since when they have done so. */
  name: string | undefined;
  sinceMs: number;
  result: string | undefined;
  resultUntilMs: number;
}

const NEW = {
  expireMs: Number.POSITIVE_INFINITY,
  state: 'queued',
  priority: 0,
  startMs: 0,
  token: '',
  busyUntilMs: 0,
  deliveries: 0,
  note: undefined,
  replays: 0,
  diedMs: 0,
  reason: '',
  history: [],
  name: undefined,
  sinceMs: 0,
  result: undefined,
  resultUntilMs: 0,
} as const;

interface Token {
  readonly id: string;
  readonly token: string;
}

/**
 * What a store promises, as a list and nothing else: slow, obvious, and told
 * the time. A random program must get the same answers from it and from a store.
 */
export class StoreModel {
  #items: Item[] = [];
  readonly #pausedUntil = new Map<string, number>();
  #successful = 0;

  append(
    group: readonly AppendMessage[],
    maxMessages: number,
    nowMs: number,
  ): readonly boolean[] | 'full' {
    const fresh = group.filter(({ id }) => this.#find(id) === undefined);
    if (this.#queued().length + group.length > maxMessages && fresh.length > 0) return 'full';
    return group.map((message) => {
      const { id, delayMs = 0, lifetimeMs = Number.POSITIVE_INFINITY } = message;
      if (this.#find(id) !== undefined) return true;
      const startMs = delayMs === 0 ? 0 : nowMs + delayMs;
      const priority = priorityOf(message);
      const expireMs = nowMs + delayMs + lifetimeMs;
      const item: Item = { ...NEW, id, message, priority, startMs, expireMs };
      if (message.replaces === undefined) this.#items.push(item);
      else this.#replace(item, message, nowMs);
      return false;
    });
  }

  #replace(item: Item, { replaces, lifetimeMs }: AppendMessage, nowMs: number): void {
    const { name, due, maxWaitMs = Number.POSITIVE_INFINITY } = replaces!;
    const others = this.#queued().filter((other) => {
      const inHand = other.token !== '' && other.busyUntilMs > nowMs;
      return other.name === name && other.message.topic === item.message.topic && !inHand;
    });
    item.name = name;
    item.sinceMs = Math.min(nowMs, ...others.map(({ sinceMs }) => sinceMs));
    const ahead = others.find(({ startMs }) => startMs === 0);
    if (due === 'kept' && others.length > 0) {
      item.startMs = ahead ? 0 : Math.min(...others.map(({ startMs }) => startMs));
    } else {
      const startMs = Math.min(Math.max(item.startMs, nowMs), item.sinceMs + maxWaitMs);
      item.startMs = startMs > nowMs ? startMs : 0;
    }
    item.expireMs = Math.max(nowMs, item.startMs) + (lifetimeMs ?? Number.POSITIVE_INFINITY);
    for (const other of others) {
      other.state = 'replaced';
      other.token = '';
    }
    if (item.startMs === 0 && ahead) this.#items.splice(this.#items.indexOf(ahead), 0, item);
    else this.#items.push(item);
  }

  lease(
    limit: number,
    untilMs: number,
    nowMs: number,
    token: string,
    topics?: readonly string[],
  ): readonly string[] {
    this.#enterDue(nowMs);
    const queued = this.#queued().filter(({ startMs }) => startMs === 0);
    const free = queued.filter(
      (item, index) =>
        item.busyUntilMs <= nowMs &&
        !this.#isPaused(item.message.topic, nowMs) &&
        topics?.includes(item.message.topic) !== false &&
        !queued
          .slice(0, index)
          .some((earlier) => inOneOrder(earlier, item) && earlier.busyUntilMs > nowMs),
    );
    return free
      .toSorted((a, b) => b.priority - a.priority)
      .slice(0, limit)
      .map((item) => {
        item.token = token;
        item.busyUntilMs = untilMs;
        item.deliveries += 1;
        item.note = undefined;
        return `${item.id}#${item.deliveries}${item.expireMs <= nowMs ? ' expired' : ''}`;
      });
  }

  /** Of those of `results` it keeps a text until then. */
  complete(
    tokens: readonly Token[],
    nowMs: number,
    results: readonly { readonly id: string; readonly text: string; readonly untilMs: number }[],
  ): number {
    const done = this.#end(tokens, nowMs, (item) => {
      item.state = 'delivered';
      const result = results.find(({ id }) => id === item.id);
      item.result = result?.text;
      item.resultUntilMs = result?.untilMs ?? 0;
    });
    this.#successful += done;
    return done;
  }

  renew(tokens: readonly Token[], nowMs: number, untilMs: number): number {
    return this.#each(tokens, nowMs, (item) => {
      item.busyUntilMs = untilMs;
    });
  }

  note(tokens: readonly Token[], nowMs: number, text: string): number {
    return this.#each(tokens, nowMs, (item) => {
      item.note = text;
    });
  }

  find(id: string, nowMs: number) {
    const item = this.#find(id);
    if (item === undefined) return undefined;
    const leased = item.token !== '' && item.busyUntilMs > nowMs && item.state === 'queued';
    const { state, deliveries, note } = item;
    const result = item.resultUntilMs > nowMs ? item.result : undefined;
    return { state, deliveries, leased, progress: leased ? note : undefined, result };
  }

  release(tokens: readonly Token[], nowMs: number, dueMs: number): number {
    return this.#end(tokens, nowMs, (item) => {
      item.busyUntilMs = dueMs;
      happened(item, 'failed');
    });
  }

  bury(tokens: readonly Token[], nowMs: number, reason: string): number {
    return this.#end(tokens, nowMs, (item) => {
      item.state = 'dead';
      item.diedMs = nowMs;
      item.reason = reason;
      happened(item, 'died');
    });
  }

  listQueued(): readonly string[] {
    return this.#queued().map(({ id }) => id);
  }

  listDead(nowMs: number) {
    return this.#items
      .filter(({ state }) => state === 'dead')
      .map(({ message: { id, topic, key, body, headers }, ...item }) => ({
        message: { id, topic, key, body: String(body), headers },
        reason: item.reason,
        deliveries: item.deliveries,
        replays: item.replays,
        deadForMs: nowMs - item.diedMs,
        history: item.history,
      }));
  }

  amendDead(message: Message): boolean {
    const [item] = this.#dead([message.id]);
    if (item === undefined) return false;
    item.message = message;
    // What is in an order has no urgency.
    if (message.key !== undefined) item.priority = 0;
    happened(item, 'edited');
    return true;
  }

  addDead(
    letters: readonly DeadLetter[],
    nowMs: number,
    { inPlaceOfDelivered = false }: AddDeadOptions = {},
  ): number {
    if (inPlaceOfDelivered) {
      const over = new Set(letters.map(({ message: { id } }) => id));
      const gone = ({ id, state }: Item) => over.has(id) && state !== 'queued' && state !== 'dead';
      this.#items = this.#items.filter((item) => !gone(item));
    }
    const fresh = letters.filter(({ message: { id } }) => {
      return this.#find(id) === undefined;
    });
    for (const { message, deadForMs, history, ...rest } of fresh) {
      const { id } = message;
      const diedMs = nowMs - deadForMs;
      const whats = history.map(({ what }) => what);
      this.#items.push({ ...NEW, id, message, ...rest, diedMs, history: whats, state: 'dead' });
    }
    return fresh.length;
  }

  /** One at a time, those that have been dead the longest first. */
  purgeDead(keep: DeadRetention, limit: number, nowMs: number): number {
    const { maxAgeMs = Number.POSITIVE_INFINITY, maxCount = Number.POSITIVE_INFINITY } = keep;
    for (let purged = 0; purged < limit; purged += 1) {
      const dead = this.#items.filter(({ state }) => state === 'dead');
      const [oldest] = dead.toSorted((a, b) => a.diedMs - b.diedMs);
      if (oldest === undefined) return purged;
      if (dead.length <= maxCount && nowMs - oldest.diedMs <= maxAgeMs) return purged;
      this.#items = this.#items.filter((item) => item !== oldest);
    }
    return limit;
  }

  withdraw(ids: readonly string[]): number {
    const items = [...new Set(ids)]
      .map((id) => this.#find(id))
      .filter((item) => item?.state === 'queued') as Item[];
    for (const item of items) item.state = 'withdrawn';
    return items.length;
  }

  replay(ids: readonly string[]): number {
    const dead = this.#dead(ids);
    for (const item of dead) {
      item.state = 'queued';
      item.deliveries = 0;
      item.replays += 1;
      item.expireMs = Number.POSITIVE_INFINITY;
      item.reason = '';
      happened(item, 'replayed');
      this.#items = [...this.#items.filter((each) => each !== item), item];
    }
    return dead.length;
  }

  discard(ids: readonly string[]): number {
    const dead = this.#dead(ids);
    this.#items = this.#items.filter((each) => !dead.includes(each));
    return dead.length;
  }

  pause(topic: string, nowMs: number, untilMs: number): boolean {
    const begins = !this.#isPaused(topic, nowMs);
    this.#pausedUntil.set(topic, untilMs);
    return begins;
  }

  resume(topic: string, nowMs: number): boolean {
    const ends = this.#isPaused(topic, nowMs);
    this.#pausedUntil.delete(topic);
    return ends;
  }

  stats(nowMs: number) {
    const queued = this.#queued();
    return {
      queued: queued.length,
      queuedBytes: queued.reduce((sum, { message }) => sum + sizeOf(message), 0),
      successful: this.#successful,
      dead: this.#items.filter(({ state }) => state === 'dead').length,
      paused: [...this.#pausedUntil.keys()].filter((topic) => this.#isPaused(topic, nowMs)).sort(),
    };
  }

  #enterDue(nowMs: number): void {
    const due = this.#items.filter(({ startMs }) => startMs > 0 && startMs <= nowMs);
    for (const item of due.toSorted((a, b) => a.startMs - b.startMs)) {
      item.startMs = 0;
      this.#items = [...this.#items.filter((each) => each !== item), item];
    }
  }

  #isPaused(topic: string, nowMs: number): boolean {
    return (this.#pausedUntil.get(topic) ?? 0) > nowMs;
  }

  #find(id: string): Item | undefined {
    return this.#items.find((item) => item.id === id);
  }

  #queued(): readonly Item[] {
    return this.#items.filter(({ state }) => state === 'queued');
  }

  #dead(ids: readonly string[]): readonly Item[] {
    return ids.map((id) => this.#find(id)).filter((item) => item?.state === 'dead') as Item[];
  }

  /** Ends each lease that is alive and still held. */
  #end(tokens: readonly Token[], nowMs: number, change: (item: Item) => void): number {
    return this.#each(tokens, nowMs, (item) => {
      item.token = '';
      item.busyUntilMs = 0;
      change(item);
    });
  }

  /** Of each lease that is alive and still held, once. */
  #each(tokens: readonly Token[], nowMs: number, change: (item: Item) => void): number {
    const held = tokens
      .map(({ id, token }) => ({ item: this.#find(id), token }))
      .filter(({ item, token }) => {
        return item?.token === token && item.state === 'queued' && item.busyUntilMs > nowMs;
      });
    const items = new Set(held.map(({ item }) => item as Item));
    items.forEach(change);
    return items.size;
  }
}

function inOneOrder(a: Item, b: Item): boolean {
  const { topic, key } = a.message;
  return key !== undefined && key === b.message.key && topic === b.message.topic;
}

function happened(item: Item, what: string): void {
  item.history = [...item.history, what].slice(-HISTORY_LIMIT);
}
