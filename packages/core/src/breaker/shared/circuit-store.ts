/**
 * Where processes tell each other how a dependency looks from where they are.
 *
 * A store keeps time by itself: what goes in and out are durations. It may be
 * slow, down, or forget everything; circuits then decide by themselves.
 */
export interface CircuitStore {
  /** Takes note of what one node finds, and says what all of them find, in one step. */
  exchange(circuit: string, report: NodeReport): Promise<SharedVerdict>;
}

/** What one node (a process) finds. */
export interface NodeReport {
  /** The node's name. One that comes back under another name counts twice until its lease is over. */
  readonly node: string;
  /** Whether it finds the dependency failing, by its own calls alone. */
  readonly failing: boolean;
  /** In which era it found that; 0: it does not know of any. */
  readonly era: number;
  /** So long it counts as alive, and its finding with it. */
  readonly leaseMs: number;
  /** How long the shared circuit stays open, if it opens now. */
  readonly openMs: number;
  readonly quorum: Quorum;
  /** For how long it wants to probe; 0: it does not. */
  readonly probeMs: number;
  /** How the probing ended that it had been granted. */
  readonly probed?: 'well' | 'failing';
}

/** How many nodes must find the dependency failing for the shared circuit to open. */
export interface Quorum {
  /** At least so many. */
  readonly nodes: number;
  /** And at least this part of those that are alive. */
  readonly ratio: number;
}

/** What all nodes find. */
export interface SharedVerdict {
  /** Changes when the shared circuit closes, and with it all that was found before is void. More than 0. */
  readonly era: number;
  readonly state: 'closed' | 'open';
  /** Until one node may probe; 0 unless open. */
  readonly retryAfterMs: number;
  /** Nodes that are alive: reported, and their lease is not over. */
  readonly nodes: number;
  /** Those of them that find it failing. */
  readonly failing: number;
  /** Whether this node may probe now, and no other. */
  readonly mayProbe: boolean;
}
