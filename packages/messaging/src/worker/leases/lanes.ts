import type { Lease } from '../../store.ts';

/** Leases that one call of a handler is given. */
export type Unit = readonly Lease[];
/** Units that are handled one after another. */
export type Lane = readonly Unit[];

/**
 * What can be handled side by side: a store leases those of one key in order and together, and none of
 * them may overtake another.
 */
export function lanesOf(leases: readonly Lease[]): readonly Lane[] {
  const lanes = new Map<unknown, Unit[]>();
  for (const lease of leases) {
    const order = orderOf(lease) ?? lease;
    const lane = lanes.get(order);
    if (lane === undefined) lanes.set(order, [[lease]]);
    else lane.push([lease]);
  }
  return [...lanes.values()];
}

/**
 * The same for a handler of batches: one lane. What failed before is handed over alone, so that a
 * poisonous job takes none of its batch with it a second time.
 */
export function batchLane(leases: readonly Lease[]): Lane {
  const units: Lease[][] = [];
  let fresh: Lease[] | undefined;
  for (const lease of leases) {
    if (lease.delivery > 1) {
      units.push([lease]);
      fresh = undefined;
    } else if (fresh === undefined) {
      fresh = [lease];
      units.push(fresh);
    } else {
      fresh.push(lease);
    }
  }
  return units;
}

/** Those of `rest` that would overtake one of `unfinished`. */
export function behind(rest: readonly Lease[], unfinished: readonly Lease[]): readonly Lease[] {
  const orders = new Set(unfinished.map(orderOf));
  return rest.filter((lease) => {
    const order = orderOf(lease);
    return order !== undefined && orders.has(order);
  });
}

function orderOf({ message: { topic, key } }: Lease): string | undefined {
  return key === undefined ? undefined : `${topic}\n${key}`;
}
