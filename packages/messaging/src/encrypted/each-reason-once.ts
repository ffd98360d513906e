import type { Unreadable } from './options.ts';

/** Reasons name the key that a message was sealed with: what comes from a file has no limit of its own. */
export const MOST_REASONS = 100;

/** For `onUnreadable`: calls `tell` once for each reason, and for no more than 100 of them. */
export function eachReasonOnce(
  tell: (unreadable: Unreadable) => void,
): (unreadable: Unreadable) => void {
  const told = new Set<string>();
  return (unreadable) => {
    const { reason } = unreadable;
    if (told.has(reason) || told.size === MOST_REASONS) return;
    told.add(reason);
    tell(unreadable);
  };
}
