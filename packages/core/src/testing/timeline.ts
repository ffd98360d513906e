import type { Clock } from '../clock.ts';
import type { Listener, PolicyEvent } from '../events.ts';

/** An event and when it was heard. */
export interface TimelineEntry {
  /** Milliseconds of the clock. */
  readonly atMs: number;
  readonly event: PolicyEvent;
}

/** What happened in a run, in order. */
export interface Timeline {
  /** Give it to a pipeline as `report`, or to `registry.listen`. */
  readonly listener: Listener;
  readonly entries: readonly TimelineEntry[];
  /** A line an event, from entry number `start` on: the same run gives the same lines, so that two runs can be compared. */
  text(start?: number): string;
}

/** Records a run as a timeline. Calls are numbered from 1 in the order in which they are heard of. */
export function timeline(clock: Clock): Timeline {
  const entries: TimelineEntry[] = [];
  return {
    entries,
    listener: (event) => void entries.push({ atMs: clock.now(), event }),
    text(start = 0) {
      const numbers = new Map<number, number>();
      const lines = entries.map((entry) => `${line(entry, numbers)}\n`);
      return lines.slice(start).join('');
    },
  };
}

function line({ atMs, event }: TimelineEntry, numbers: Map<number, number>): string {
  const { type, pipeline, policy, call, ...rest } = event as PolicyEvent & Record<string, unknown>;
  if (call !== 0 && !numbers.has(call)) numbers.set(call, numbers.size + 1);
  const who = call === 0 ? pipeline : `${pipeline} #${numbers.get(call)}`;
  const by = policy === pipeline ? '' : ` ${policy}`;
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shown(value)}`);
  return `${String(Math.round(atMs * 1_000) / 1_000).padStart(8)} ms  ${who}${by}: ${[type, ...facts].join(' ')}`;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1_000) / 1_000);
  try {
    if (value instanceof Error) return JSON.stringify(`${value.name}: ${value.message}`);
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  } catch {
    // An object without a prototype, or a proxy that has been revoked.
    return typeof value;
  }
}
