/** Keeps locks; each lapses by itself. */
export interface LockStore {
  /** Whether the lock is the owner's now; false where somebody, the owner included, has it. */
  tryLock(resource: string, owner: string, expirySeconds: number): Promise<boolean>;
  unlock(resource: string, owner: string): Promise<UnlockOutcome>;
  close(): Promise<void>;
}

export type UnlockOutcome = 'unlocked' | 'absent' | 'of-another';
