import type { Lease } from '../store.ts';
import type { ResolvedEncryption } from './options.ts';
import { unseal } from './seal.ts';

/** What can be done with messages that were leased together. */
export interface SortedLeases {
  readonly open: readonly Lease[];
  /** Cannot be read for want of a key. */
  readonly waiting: readonly { readonly lease: Lease; readonly why: string }[];
  /** Could be read, and come after one of their key that waits. */
  readonly behind: readonly Lease[];
  readonly broken: readonly { readonly lease: Lease; readonly why: string }[];
}

export function sortLeases(
  leases: readonly Lease[],
  { ring, plain }: Pick<ResolvedEncryption, 'ring' | 'plain'>,
): SortedLeases {
  const open: Lease[] = [];
  const behind: Lease[] = [];
  const waiting: { lease: Lease; why: string }[] = [];
  const broken: { lease: Lease; why: string }[] = [];
  const held = new Set<string>();
  for (const lease of leases) {
    const { topic, key } = lease.message;
    const order = key === undefined ? undefined : `${topic}\n${key}`;
    const opened = unseal(lease.message, ring);
    if (order !== undefined && held.has(order)) behind.push(lease);
    else if (opened.kind === 'waits') {
      waiting.push({ lease, why: opened.why });
      if (order !== undefined) held.add(order);
    } else if (opened.kind === 'broken') broken.push({ lease, why: opened.why });
    else if (plain === 'refuse' && opened.message === lease.message) {
      const why = 'is not encrypted, and this store delivers what is alone (plain: "refuse").';
      broken.push({ lease, why });
    } else open.push({ ...lease, message: opened.message });
  }
  return { open, waiting, behind, broken };
}
