/** Memory for bodies that a retry may need again. What is over it streams, and is sent once. */
export interface ReplayBudget {
  /** The bytes taken: all that were asked for, or 0. */
  take(bytes: number): number;
  release(bytes: number): void;
}

/** `maxBytes` of one body, `maxTotalBytes` of all bodies at a time. */
export function createReplayBudget(maxBytes: number, maxTotalBytes: number): ReplayBudget {
  let taken = 0;
  return {
    take(bytes) {
      if (bytes > maxBytes || taken + bytes > maxTotalBytes) return 0;
      taken += bytes;
      return bytes;
    },
    release(bytes) {
      taken -= bytes;
    },
  };
}
