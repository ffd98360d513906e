/**
 * A place in a queue of those who wait: a link of a ring, part of the waiter itself. One that leaves in
 * the middle is gone at once, whatever the queue's length; linked to itself it waits nowhere.
 */
export interface QueueLink {
  prev: QueueLink;
  next: QueueLink;
}

/** A place that is in no queue, or a queue's fixed point: `next` waits longest, `prev` came last. */
export function newLink(): QueueLink {
  const link = {} as { prev: QueueLink; next: QueueLink };
  link.prev = link;
  link.next = link;
  return link;
}

/** Whether `waiter` is in a queue. */
export const isWaiting = (waiter: QueueLink): boolean => waiter.next !== waiter;

/** Puts `waiter` at the end of `queue`. */
export function append(queue: QueueLink, waiter: QueueLink): void {
  waiter.prev = queue.prev;
  waiter.next = queue;
  queue.prev.next = waiter;
  queue.prev = waiter;
}

/** Takes `waiter` out of its queue. */
export function unlink(waiter: QueueLink): void {
  waiter.prev.next = waiter.next;
  waiter.next.prev = waiter.prev;
  waiter.prev = waiter;
  waiter.next = waiter;
}
