import type { Lease } from '../store.ts';

/** Each lease once, however often it was given. */
export function distinctLeases(leases: readonly Lease[]): readonly Lease[] {
  if (leases.length < 2) return leases;
  const seen = new Map(leases.map((lease) => [`${lease.seq}/${lease.token}`, lease]));
  return seen.size === leases.length ? leases : [...seen.values()];
}
