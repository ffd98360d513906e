import { checkOptions } from '../check.ts';
import type { Env } from '../env.ts';
import type { PolicyEvent } from '../events.ts';
import type { Random } from '../random.ts';
import { createRegistry, type Registry } from '../registry.ts';
import { seededRandom } from './seeded-random.ts';
import { timeline } from './timeline.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type VirtualTimers, virtualTimers } from './virtual-timers.ts';

/** A world of its own for a test: its time, its chance, its registry, and a record of what happens in it. */
export interface VirtualWorld {
  /** The third argument of `pipeline` and `keyedPipeline`; everything in it is also here by name. */
  readonly env: Env;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly registry: Registry;
  /** For the code under test, in place of the platform's. */
  readonly timers: VirtualTimers;
  /** What has happened since it began, in order. */
  readonly events: readonly PolicyEvent[];
  /** The same in lines, each with its time. */
  text(): string;
  /** Runs `work` to its end, jumping from timer to timer. Never rejects: the failure is what is looked at. */
  play<T>(work: () => PromiseLike<T> | T): Promise<Played<T>>;
  /**
   * What calls that are over must not leave, in words: timers that are set, calls in flight, permits
   * and places that are taken. Empty where all is well; let a test end with it.
   */
  left(): readonly string[];
}

/** How one `play` ended; either `value` or `error`. */
export interface Played<T> {
  readonly value?: T;
  readonly error?: unknown;
  /** By the clock of its world. */
  readonly tookMs: number;
  /** What happened meanwhile. */
  readonly events: readonly PolicyEvent[];
  /** The same in lines. */
  readonly text: string;
}

/** @param seed of all chance in it: the same seed plays out the same, event by event. */
export function virtualWorld(options: { readonly seed?: number } = {}): VirtualWorld {
  checkOptions('virtualWorld', options, { seed: 0 });
  const { seed = 1 } = options;
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const registry = createRegistry();
  const told = timeline(clock);
  const eventsFrom = (start: number) => told.entries.slice(start).map(({ event }) => event);

  return {
    env: { clock, random, registry, report: told.listener },
    clock,
    random,
    registry,
    timers: virtualTimers(clock),
    get events() {
      return eventsFrom(0);
    },
    text: () => told.text(),
    async play(work) {
      const start = told.entries.length;
      const beganMs = clock.now();
      const ended = await clock
        .run(work)
        .then((value) => ({ value }))
        .catch((error: unknown) => ({ error }));
      const tookMs = clock.now() - beganMs;
      return { ...ended, tookMs, events: eventsFrom(start), text: told.text(start) };
    },
    left: () => [
      ...timersLeft(clock),
      ...registry.list().flatMap(placesLeft),
      ...keysLeft(registry),
    ],
  };
}

const timersLeft = ({ pendingTimers }: VirtualClock) =>
  pendingTimers === 0 ? [] : [`${pendingTimers} timers`];

const keysLeft = (registry: Registry) =>
  registry
    .families()
    .flatMap(({ keys }) =>
      Object.entries(keys).flatMap(([key, snapshot]) =>
        placesLeft(snapshot).map((words) => `${words}, key "${key}"`),
      ),
    );

function placesLeft({ name, inFlight, policies }: ReturnType<Registry['list']>[number]) {
  const counted = (count: number | undefined, what: string) =>
    count === undefined || count === 0 ? [] : [`${count} ${what}`];
  return [
    ...counted(inFlight, `calls in flight in "${name}"`),
    ...policies.flatMap(({ name: policy, bulkhead, limit, rate, cache, fault }) => [
      ...counted(bulkhead?.active ?? limit?.active, `places taken in "${policy}"`),
      ...counted(bulkhead?.queued ?? limit?.queued, `calls waiting in "${policy}"`),
      ...counted(rate?.waiting, `calls waiting for their turn in "${policy}"`),
      ...counted(cache?.fetching, `answers being fetched for "${policy}"`),
      ...counted(fault?.held, `calls held back by "${policy}"`),
    ]),
  ];
}
