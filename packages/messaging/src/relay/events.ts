/** What a relay reports; durations in milliseconds. */
export type RelayEvent =
  /** The broker acknowledged a batch. */
  | { readonly type: 'published'; readonly messages: number; readonly durationMs: number }
  /** A batch was given back; the relay looks again after `pauseMs`. */
  | {
      readonly type: 'paused';
      readonly why: 'broker' | 'store';
      readonly pauseMs: number;
      readonly error: unknown;
    }
  /** A message became a dead letter. */
  | { readonly type: 'died'; readonly id: string; readonly reason: string }
  /** Acknowledged batches whose lease lapsed before they could be marked: they may be sent twice. */
  | { readonly type: 'lapsed'; readonly messages: number };
