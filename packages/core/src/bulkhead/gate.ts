/**
 * A bulkhead's places and its queue, free of clocks, promises and events.
 *
 *                    a place is free, nobody waits
 *     arrives ──────────────────────────────────────▶ inside ──leaves──▶ a place is free
 *        │                                               ▲
 *        ├──room to wait──▶ queue ──its turn─────────────┘
 *        │                    └──gives up──▶ out
 *        └──no room──▶ refused
 *
 * The queue is a ring of the waiters themselves: one that gives up in the
 * middle leaves at once, whatever its length.
 */
export interface Gate {
  /** Calls inside. */
  active: number;
  /** Calls waiting. */
  queued: number;
  /** The ring's fixed point: `next` waits longest, `prev` came last. */
  readonly queue: QueueLink;
}

export interface QueueLink {
  prev: QueueLink;
  next: QueueLink;
}

/** What a call that arrives is told. */
export type Arrival = 'inside' | 'waits' | 'full';

export interface GateRules {
  readonly limit: number;
  readonly queueLimit: number;
}

export function newGate(): Gate {
  return { active: 0, queued: 0, queue: newLink() };
}

/** A waiter's place in the queue, to be kept and used again; linked to itself it waits nowhere. */
export function newLink(): QueueLink {
  const link = {} as { prev: QueueLink; next: QueueLink };
  link.prev = link;
  link.next = link;
  return link;
}

export function arrive(gate: Gate, waiter: QueueLink, rules: GateRules): Arrival {
  // Nobody overtakes those who wait, also when a place happens to be free.
  if (gate.active < rules.limit && gate.queued === 0) {
    gate.active += 1;
    return 'inside';
  }
  if (gate.queued >= rules.queueLimit) return 'full';
  const { queue } = gate;
  waiter.prev = queue.prev;
  waiter.next = queue;
  queue.prev.next = waiter;
  queue.prev = waiter;
  gate.queued += 1;
  return 'waits';
}

/** Whether `waiter` is in a queue. */
export const isWaiting = (waiter: QueueLink): boolean => waiter.next !== waiter;

/** `waiter` goes away without having been inside. */
export function giveUp(gate: Gate, waiter: QueueLink): void {
  waiter.prev.next = waiter.next;
  waiter.next.prev = waiter.prev;
  waiter.prev = waiter;
  waiter.next = waiter;
  gate.queued -= 1;
}

/** A call that was inside goes. */
export function depart(gate: Gate): void {
  gate.active -= 1;
}

/** Lets in the one that has waited longest, if there is a place and anybody waits. */
export function letIn(gate: Gate, rules: GateRules): QueueLink | undefined {
  if (gate.queued === 0 || gate.active >= rules.limit) return undefined;
  const waiter = gate.queue.next;
  giveUp(gate, waiter);
  gate.active += 1;
  return waiter;
}
