/** Keeps locks; each lapses by itself. `signal` aborts when nobody waits for the answer any more. */
export interface LockStore {
  /** Whether the lock is the owner's now; false where somebody, the owner included, has it. */
  tryLock(
    resource: string,
    owner: string,
    expirySeconds: number,
    signal?: AbortSignal,
  ): Promise<boolean>;
  unlock(resource: string, owner: string, signal?: AbortSignal): Promise<UnlockOutcome>;
  close(): Promise<void>;
}

export type UnlockOutcome = 'unlocked' | 'absent' | 'of-another';
