import { type Clock, systemClock } from '@holdfast/core';
import { deadPrefix } from './dead/dead-prefix.ts';
import { withEntry } from './history.ts';
import { checkHold, checkWait } from './hold.ts';
import { latestNotes } from './latest-notes.ts';
import type { Message } from './message.ts';
import { standingOf } from './replacing.ts';
import {
  type AppendGroup,
  type AppendMessage,
  type AppendResult,
  type DeadLetter,
  type HistoryEntry,
  type Lease,
  type MessageStatus,
  type MessageStore,
  priorityOf,
  type StoreLimits,
  sizeOf,
} from './store.ts';

interface Entry {
  message: Message;
  seq: number;
  state: MessageStatus['state'];
  priority: number;
  /** When it enters the queue; 0 when it is in it. */
  startMs: number;
  acceptedMs: number;
  /** When its lifetime is over. */
  expireMs: number;
  /** Under which others of its topic take its place, and since when they have done so. */
  name: string | undefined;
  sinceMs: number;
  dueMs: number;
  token: string | undefined;
  deliveries: number;
  replays: number;
  diedMs: number;
  reason: string;
  history: readonly HistoryEntry[];
  /** What was said of it under its present lease. */
  progress: string | undefined;
  result: { readonly text: string; readonly untilMs: number } | undefined;
}

export interface MemoryStoreOptions {
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * Keeps messages in this process's memory: for tests, and for messages whose
 * loss nobody minds. It keeps every promise of `MessageStore` but the first:
 * what it holds ends with the process. Delivered ids are remembered for ever.
 */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): MessageStore {
  const byId = new Map<string, Entry>();
  const pauses = new Map<string, { readonly sinceMs: number; readonly untilMs: number }>();
  let lastSeq = 0;
  let successful = 0;
  let tokens = 0;

  const inState = (state: Entry['state']) =>
    [...byId.values()].filter((e) => e.state === state).sort((a, b) => a.seq - b.seq);
  const held = (lease: Lease) => {
    const entry = byId.get(lease.message.id);
    return entry?.token === lease.token && entry.dueMs > clock.now() ? entry : undefined;
  };
  const each = (leases: readonly Lease[], change: (entry: Entry) => void) => {
    const live = new Set(leases.map(held).filter((entry) => entry !== undefined));
    live.forEach(change);
    return live.size;
  };
  const eachDead = (ids: readonly string[], change: (entry: Entry) => void) => {
    const found = [...new Set(ids)].map((id) => byId.get(id));
    const dead = found.filter((entry) => entry?.state === 'dead');
    for (const entry of dead) if (entry !== undefined) change(entry);
    return dead.length;
  };
  const isDelivered = (entry: Entry | undefined) =>
    entry !== undefined && entry.state !== 'queued' && entry.state !== 'dead';
  const remember = (entry: Entry, what: HistoryEntry['what'], detail: string) => {
    entry.history = withEntry(entry.history, what, detail, clock.wallMs());
  };
  const free = (entry: Entry, dueMs = 0) => {
    entry.token = undefined;
    entry.progress = undefined;
    entry.dueMs = dueMs;
  };
  /** Those whose time has come enter the queue, at its end. */
  const enterDue = (now: number) => {
    const due = inState('queued').filter(({ startMs }) => startMs > 0 && startMs <= now);
    for (const entry of due.sort((a, b) => a.startMs - b.startMs)) {
      entry.seq = ++lastSeq;
      entry.acceptedMs = entry.startMs;
      entry.startMs = 0;
    }
  };
  /** Those that nobody has in hand. */
  const waitingAs = (topic: string, name: string) =>
    inState('queued').filter(
      (entry) =>
        entry.message.topic === topic &&
        entry.name === name &&
        (entry.token === undefined || entry.dueMs <= clock.now()),
    );
  const pauseOf = (topic: string) => {
    const pause = pauses.get(topic);
    return pause !== undefined && pause.untilMs > clock.now() ? pause : undefined;
  };
  const totals = () => {
    const queued = inState('queued');
    return { queued, bytes: queued.reduce((sum, { message }) => sum + sizeOf(message), 0) };
  };

  function appendGroup(group: AppendGroup, limits: StoreLimits): AppendResult {
    const { queued, bytes } = totals();
    const fresh = group.some(({ id }) => !byId.has(id));
    const added = group.reduce((sum, message) => sum + sizeOf(message), 0);
    const tight =
      queued.length + group.length > limits.maxMessages || bytes + added > limits.maxBytes;
    if (tight && fresh) return { kind: 'full', queued: queued.length, queuedBytes: bytes };
    return { kind: 'kept', duplicates: group.map((message) => !appendOne(message)) };
  }

  function appendOne(given: AppendMessage): boolean {
    const { delayMs: _, priority: __, lifetimeMs = Infinity, replaces, ...message } = given;
    if (byId.has(message.id)) return false;
    const now = clock.now();
    const waiting = replaces === undefined ? [] : waitingAs(message.topic, replaces.name);
    const { startMs, sinceMs, instead } = standingOf(given, waiting, now);
    for (const entry of waiting) {
      entry.state = 'replaced';
      free(entry);
    }
    byId.set(message.id, {
      ...newEntry(message, instead?.seq ?? ++lastSeq, instead?.acceptedMs ?? now),
      priority: priorityOf(given),
      name: replaces?.name,
      sinceMs,
      startMs,
      expireMs: Math.max(now, startMs) + lifetimeMs,
    });
    return true;
  }

  const letterOf = (entry: Entry): DeadLetter => {
    const { message, reason, deliveries, replays, history } = entry;
    const deadForMs = clock.now() - entry.diedMs;
    return { message, reason, deliveries, replays, deadForMs, history };
  };

  return {
    open: async () => {},
    append: async (groups, limits) => groups.map((group) => appendGroup(group, limits)),

    async lease(limit, leaseMs, topics) {
      checkHold('leaseMs', leaseMs);
      const now = clock.now();
      enterDue(now);
      const token = `memory:${++tokens}`;
      const blocked = new Set<string>();
      const taken: Entry[] = [];
      const entered = inState('queued').filter(
        ({ startMs, message: { topic } }) => startMs === 0 && pauseOf(topic) === undefined,
      );
      for (const entry of entered.sort((a, b) => b.priority - a.priority)) {
        if (taken.length === limit) break;
        const { topic, key } = entry.message;
        if (topics?.includes(topic) === false) continue;
        const order = key === undefined ? undefined : `${topic}\n${key}`;
        if (order !== undefined && blocked.has(order)) continue;
        if (entry.dueMs <= now) taken.push(entry);
        else if (order !== undefined) blocked.add(order);
      }
      return taken.map((entry) => {
        entry.token = token;
        entry.progress = undefined;
        entry.dueMs = now + leaseMs;
        entry.deliveries += 1;
        const { seq, message, deliveries: delivery } = entry;
        return { token, seq, message, delivery, expired: entry.expireMs <= now };
      });
    },

    complete: async (leases, results = []) => {
      const now = clock.now();
      for (const { lease, text, keptMs } of results) {
        const entry = held(lease);
        if (entry !== undefined) entry.result = { text, untilMs: now + keptMs };
      }
      return each(leases, (entry) => {
        successful += 1;
        entry.state = 'delivered';
        entry.history = [];
        free(entry);
      });
    },
    async renew(leases, leaseMs) {
      checkHold('leaseMs', leaseMs);
      return each(leases, (entry) => {
        entry.dueMs = clock.now() + leaseMs;
      });
    },
    async release(leases, { delayMs, error, attempted = true }) {
      checkWait('delayMs', delayMs);
      return each(leases, (entry) => {
        if (!attempted) entry.deliveries -= 1;
        if (error !== undefined) remember(entry, 'failed', error);
        free(entry, clock.now() + delayMs);
      });
    },
    bury: async (leases, reason) =>
      each(leases, (entry) => {
        entry.state = 'dead';
        entry.reason = reason;
        entry.diedMs = clock.now();
        remember(entry, 'died', reason);
        free(entry);
      }),

    note: async (notes) => {
      let done = 0;
      for (const { lease, text } of latestNotes(notes)) {
        const entry = held(lease);
        if (entry === undefined) continue;
        entry.progress = text;
        done += 1;
      }
      return done;
    },

    withdraw: async (ids) => {
      const queued = [...new Set(ids)]
        .map((id) => byId.get(id))
        .filter((entry) => entry?.state === 'queued') as Entry[];
      for (const entry of queued) {
        entry.state = 'withdrawn';
        free(entry);
      }
      return queued.length;
    },

    async pause(topic, forMs = Infinity) {
      const before = pauseOf(topic);
      const sinceMs = before?.sinceMs ?? clock.now();
      pauses.set(topic, { sinceMs, untilMs: clock.now() + forMs });
      return before === undefined;
    },
    async resume(topic) {
      const before = pauseOf(topic);
      pauses.delete(topic);
      return before !== undefined;
    },

    async stats() {
      const { queued, bytes } = totals();
      const now = clock.now();
      const oldestMs = queued.reduce((longest, { startMs, acceptedMs }) => {
        return Math.max(longest, now - (startMs === 0 ? acceptedMs : startMs));
      }, 0);
      return {
        queued: queued.length,
        queuedBytes: bytes,
        successful,
        dead: inState('dead').length,
        oldestMs,
        paused: [...pauses]
          .filter(([, { untilMs }]) => untilMs > now)
          .map(([topic, { sinceMs, untilMs }]) => {
            return { topic, forMs: now - sinceMs, endsInMs: endsIn(untilMs, now) };
          })
          .sort((a, b) => (a.topic < b.topic ? -1 : 1)),
      };
    },
    async find(id) {
      const entry = byId.get(id);
      if (entry === undefined) return undefined;
      const { state, deliveries, history } = entry;
      const result = (entry.result?.untilMs ?? 0) > clock.now() ? entry.result?.text : undefined;
      const leased = entry.token !== undefined && entry.dueMs > clock.now();
      const progress = leased ? entry.progress : undefined;
      return { id, state, deliveries, leased, progress, result, history };
    },

    async listQueued({ limit, after = 0 }) {
      const page = inState('queued')
        .filter(({ seq }) => seq > after)
        .slice(0, limit);
      const next = page.length < limit ? undefined : page.at(-1)?.seq;
      return { messages: page.map(({ message }) => message), next };
    },

    async listDead({ limit, after = 0 }) {
      const page = inState('dead')
        .filter(({ seq }) => seq > after)
        .slice(0, limit);
      return {
        letters: page.map(letterOf),
        next: page.length < limit ? undefined : page.at(-1)?.seq,
      };
    },
    async findDead(id) {
      const entry = byId.get(id);
      return entry?.state === 'dead' ? letterOf(entry) : undefined;
    },
    amendDead: async ({ id, topic, key, body, headers }, detail) =>
      eachDead([id], (entry) => {
        entry.message = { id, topic, key, body, headers };
        if (key !== undefined) entry.priority = 0;
        remember(entry, 'edited', detail);
      }) === 1,
    async addDead(letters, { inPlaceOfDelivered = false } = {}) {
      const over = (id: string) => inPlaceOfDelivered && isDelivered(byId.get(id));
      const fresh = letters.filter(({ message: { id } }, index) => {
        const first = letters.findIndex((other) => other.message.id === id) === index;
        return first && (!byId.has(id) || over(id));
      });
      for (const { message, deadForMs, ...rest } of fresh) {
        byId.set(message.id, {
          ...newEntry(message, ++lastSeq, clock.now()),
          ...rest,
          state: 'dead',
          diedMs: clock.now() - deadForMs,
        });
      }
      return fresh.length;
    },
    replay: async (ids) =>
      eachDead(ids, (entry) => {
        entry.state = 'queued';
        entry.seq = ++lastSeq;
        entry.deliveries = 0;
        entry.replays += 1;
        entry.expireMs = Infinity;
        remember(entry, 'replayed', '');
      }),
    discard: async (ids) => eachDead(ids, ({ message }) => byId.delete(message.id)),
    async purgeDead(keep, limit) {
      const now = clock.now();
      const dead = inState('dead').sort((a, b) => a.diedMs - b.diedMs || a.seq - b.seq);
      const lot = dead.slice(0, limit);
      const count = deadPrefix(
        lot.map(({ diedMs }) => now - diedMs),
        dead.length,
        keep,
      );
      for (const { message } of lot.slice(0, count)) byId.delete(message.id);
      return count;
    },
    close: async () => {},
  };
}

function endsIn(untilMs: number, nowMs: number): number | undefined {
  return untilMs === Infinity ? undefined : untilMs - nowMs;
}

function newEntry(message: Message, seq: number, acceptedMs: number): Entry {
  return {
    message,
    seq,
    state: 'queued',
    priority: 0,
    startMs: 0,
    acceptedMs,
    expireMs: Infinity,
    name: undefined,
    sinceMs: acceptedMs,
    dueMs: 0,
    token: undefined,
    deliveries: 0,
    replays: 0,
    diedMs: 0,
    reason: '',
    history: [],
    progress: undefined,
    result: undefined,
  };
}
