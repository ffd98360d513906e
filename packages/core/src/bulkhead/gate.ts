import { append, isWaiting, newLink, type QueueLink, unlink } from '../queue-link.ts';

/**
 * A bulkhead's places and its queue, free of clocks, promises and events.
 *
 *                    a place is free, nobody waits
 *     arrives ──────────────────────────────────────▶ inside ──leaves──▶ a place is free
 *        │                                               ▲
 *        ├──room to wait──▶ queue ──its turn─────────────┘
 *        │                    ├──gives up──▶ out
 *        │                    └──a more critical one arrives──▶ out
 *        └──no room──▶ refused
 *
 * There is a queue for each rank, the most critical first; orders that know no
 * ranks use the first alone.
 */
export interface Gate {
  /** Calls inside. */
  active: number;
  /** Calls waiting. */
  queued: number;
  readonly queues: readonly QueueLink[];
}

/** What a call that arrives is told. */
export type Arrival = 'inside' | 'waits' | 'full';

/** Who of those who wait is let in next: who came first, who came last, or who matters most. */
export type QueueOrder = 'fifo' | 'lifo' | 'criticality';

export const QUEUE_ORDERS: readonly QueueOrder[] = ['fifo', 'lifo', 'criticality'];

export interface GateRules {
  readonly limit: number;
  readonly queueLimit: number;
  readonly order: QueueOrder;
}

/** As many as there are criticalities. */
const RANKS = 4;

export function newGate(): Gate {
  return { active: 0, queued: 0, queues: Array.from({ length: RANKS }, newLink) };
}

/** Lets a call in that need not wait. Nobody overtakes those who wait, also when a place happens to be free. */
export function walkIn(gate: Gate, rules: GateRules): boolean {
  if (gate.active >= rules.limit || gate.queued !== 0) return false;
  gate.active += 1;
  return true;
}

/** `rank` counts from 0, the most critical; without effect where the order knows none. */
export function arrive(gate: Gate, waiter: QueueLink, rules: GateRules, rank = 0): Arrival {
  if (walkIn(gate, rules)) return 'inside';
  if (gate.queued >= rules.queueLimit) return 'full';
  append(gate.queues[rules.order === 'criticality' ? rank : 0]!, waiter);
  gate.queued += 1;
  return 'waits';
}

/** `waiter` goes away without having been inside. */
export function giveUp(gate: Gate, waiter: QueueLink): void {
  unlink(waiter);
  gate.queued -= 1;
}

/** A call that was inside goes. */
export function depart(gate: Gate): void {
  gate.active -= 1;
}

/** Whose turn it is, if there is a place and anybody waits. */
export function nextIn(gate: Gate, rules: GateRules): QueueLink | undefined {
  if (gate.queued === 0 || gate.active >= rules.limit) return undefined;
  const queue = gate.queues.find(isWaiting)!;
  return rules.order === 'lifo' ? queue.prev : queue.next;
}

/** Lets `waiter` in, who is next. */
export function letIn(gate: Gate, waiter: QueueLink): void {
  giveUp(gate, waiter);
  gate.active += 1;
}

/** Who is put out to make room for one that matters more: the last that came of the least critical ones. */
export function nextOut(gate: Gate, rank: number): QueueLink | undefined {
  for (let least = gate.queues.length - 1; least > rank; least -= 1) {
    const queue = gate.queues[least]!;
    if (isWaiting(queue)) return queue.prev;
  }
  return undefined;
}
