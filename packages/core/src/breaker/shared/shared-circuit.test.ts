import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PolicyEvent } from '../../events.ts';
import { pipeline } from '../../pipeline.ts';
import { createRegistry } from '../../registry.ts';
import { record } from '../../testing/record.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { circuitBreaker } from '../breaker.ts';
import type { CircuitBreakerOptions } from '../options.ts';
import type { CircuitStore, NodeReport, SharedVerdict } from './circuit-store.ts';
import { memoryCircuitStore } from './memory-circuit-store.ts';
import type { SharedCircuitOptions } from './options.ts';

const down = new Error('down');

describe('circuits that share what they find', () => {
  test('are opened at every node when a quorum of them finds the dependency failing', async () => {
    const world = new World(5);
    await world.play(3_000);
    for (const node of [0, 1, 2]) world.failing.add(node);
    await world.play(4_000);
    assert.deepEqual(world.states(), ['open', 'open', 'open', 'open', 'open']);
    assert.deepEqual(world.whys(4), ['closed > open: 3 of 5 nodes find it failing']);
    assert.deepEqual(world.circuit(4).shared, { failing: 3, nodes: 5, state: 'open' });
    assert.equal(world.circuit(4).opened, 1);
    assert.equal(world.circuit(4).counts.totalFailures, 0, 'its own calls all went well');
  });

  test('leave the others alone where one node alone has trouble', async () => {
    const world = new World(5);
    world.failing.add(0);
    await world.play(60_000);
    const [broken, ...others] = world.states();
    assert.notEqual(broken, 'closed');
    assert.deepEqual(others, ['closed', 'closed', 'closed', 'closed']);
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => world.whys(n)),
      [[], [], [], []],
    );
  });

  test('are probed by one node at a time, and close soon after it has found it well', async () => {
    const world = new World(5, { openMs: 10_000 });
    for (const node of [0, 1, 2, 3, 4]) world.failing.add(node);
    await world.play(5_000);
    assert.deepEqual(new Set(world.states()), new Set(['open']));
    world.sent = 0;
    await world.play(60_000);
    // Six openings of 10 s could each have been probed by all five.
    assert.ok(
      world.sent >= 3 && world.sent <= 8,
      `${world.sent} probes in a minute, by five nodes`,
    );
    world.failing.clear();
    await world.play(25_000);
    assert.deepEqual(new Set(world.states()), new Set(['closed']));
  });

  test('recover although one node keeps failing, which then is alone with that', async () => {
    const world = new World(5, { openMs: 2_000 });
    for (const node of [0, 1, 2, 3, 4]) world.failing.add(node);
    await world.play(10_000);
    world.failing = new Set([0]);
    await world.play(60_000);
    const [broken, ...others] = world.states();
    assert.notEqual(broken, 'closed');
    assert.deepEqual(others, ['closed', 'closed', 'closed', 'closed']);
  });

  test('are not stuck when the node that may probe falls silent', async () => {
    const world = new World(3, { openMs: 2_000 });
    for (const node of [0, 1, 2]) world.failing.add(node);
    await world.play(4_000);
    world.failing.clear();
    const prober = await world.playUntilProbeIsGranted();
    world.silent.add(prober);
    await world.play(30_000);
    assert.deepEqual(
      world.states().filter((_, n) => n !== prober),
      ['closed', 'closed'],
    );
  });

  test('decide by themselves while the store is down, and no call fails or waits for it', async () => {
    for (const trouble of ['rejects', 'throws', 'hangs', 'says null', 'says {}'] as const) {
      const world = new World(3, { openMs: 2_000 });
      await world.play(3_000);
      world.trouble = trouble;
      for (const node of [0, 1, 2]) world.failing.add(node);
      await world.play(4_000);
      assert.deepEqual(new Set(world.states()), new Set(['open']), trouble);
      assert.equal(world.circuit(0).shared, undefined);
      world.failing.clear();
      await world.play(5_000);
      assert.deepEqual(new Set(world.states()), new Set(['closed']), trouble);
      assert.equal(world.longestCallMs, 0, 'no call took any time');
      assert.deepEqual(world.unexpected, []);
      const failures = world.events[0]!.filter(({ type }) => type === 'store-failed');
      assert.ok(failures.length >= 2 && failures.length <= 6, `${failures.length} reports of it`);
      world.trouble = undefined;
      await world.play(40_000);
      assert.deepEqual(world.circuit(0).shared, { failing: 0, nodes: 3, state: 'closed' }, trouble);
    }
  });

  test('that others had opened probe by themselves when the store goes away', async () => {
    const world = new World(3, { openMs: 5_000 });
    await world.play(2_000);
    for (const node of [0, 1]) world.failing.add(node);
    await world.play(3_000);
    assert.equal(world.states()[2], 'open');
    world.trouble = 'hangs';
    world.failing.clear();
    await world.play(12_000);
    assert.deepEqual(world.states(), ['closed', 'closed', 'closed']);
  });

  test('report once per interval while there are calls, and never without', async () => {
    const world = new World(1, {}, { intervalMs: 500 });
    await world.play(10_000);
    assert.ok(world.exchanges >= 18 && world.exchanges <= 21, `${world.exchanges} in 10 s`);
    const before = world.exchanges;
    await world.clock.advance(60_000);
    assert.deepEqual([world.exchanges, world.clock.pendingTimers], [before, 0]);
  });

  test('do not flood the store when they flutter', async () => {
    const world = new World(1, { openMs: 1, consecutiveFailures: 1 }, { intervalMs: 1_000 });
    world.flutters = true;
    await world.play(10_000);
    assert.ok(world.circuit(0).opened > 90);
    assert.ok(world.exchanges <= 101, `${world.exchanges} reports in 10 s`);
  });

  test('leave a circuit that is forced, disabled or observes as it is, and have no vote by it', async () => {
    for (const as of ['forced-closed', 'disabled', 'observe'] as const) {
      const world = new World(3, { openMs: 2_000 });
      await world.play(2_000);
      world.registries[2]!.force('p', as, { forMs: 60_000 });
      for (const node of [0, 1, 2]) world.failing.add(node);
      await world.play(4_000);
      assert.deepEqual(world.states(), ['open', 'open', as]);
      assert.equal(world.circuit(0).shared?.failing, 2, as);
    }
  });

  test('go on sharing after a swap, under the same name', async () => {
    const world = new World(3, { openMs: 2_000 });
    await world.play(2_000);
    world.swapAll({ openMs: 3_000 });
    world.failing = new Set([0, 1]);
    await world.play(3_500);
    assert.deepEqual(world.states(), ['open', 'open', 'open']);
    assert.deepEqual([world.names.size, world.circuit(2).shared?.nodes], [3, 3]);
  });

  test('refuse options that cannot work, naming the culprit', () => {
    const store = memoryCircuitStore();
    const refused = (shared: unknown) => {
      try {
        return circuitBreaker({ shared } as CircuitBreakerOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [{}, { store, quorumNodes: 0 }, { store, quorumRatio: 0 }, { store, leaseMs: 2_000 }].map(
        refused,
      ),
      [
        'TypeError: circuitBreaker.shared.store.exchange must be a function, not null.',
        'RangeError: circuitBreaker.shared.quorumNodes must be a whole number from 1 to 1000, not 0.',
        `RangeError: circuitBreaker.shared.quorumRatio must be a number from ${Number.MIN_VALUE} to 1, not 0.`,
        'RangeError: circuitBreaker.shared.leaseMs must be a number from 3000 to 600000, not 2000.',
      ],
    );
  });
});

const TICK_MS = 50;

/** Some nodes, each a pipeline of its own, that call one dependency every 50 ms over one store. */
class World implements CircuitStore {
  readonly clock = new VirtualClock();
  readonly registries = [] as ReturnType<typeof createRegistry>[];
  readonly events: PolicyEvent[][] = [];
  readonly names = new Set<string>();
  readonly unexpected: unknown[] = [];
  /** Nodes whose calls fail. */
  failing = new Set<number>();
  /** Nodes that make no calls. */
  readonly silent = new Set<number>();
  trouble: 'rejects' | 'throws' | 'hangs' | 'says null' | 'says {}' | undefined = undefined;
  flutters = false;
  /** Calls that reached the dependency. */
  sent = 0;
  exchanges = 0;
  longestCallMs = 0;
  granted: string | undefined = undefined;
  readonly #store = memoryCircuitStore({ clock: this.clock });
  readonly #pipelines;
  readonly #shared: SharedCircuitOptions;

  constructor(
    count: number,
    options: CircuitBreakerOptions = {},
    shared: Omit<SharedCircuitOptions, 'store'> = {},
  ) {
    this.#shared = { store: this, ...shared };
    this.#pipelines = Array.from({ length: count }, (_, n) => {
      const { events, listener } = record();
      this.events.push(events);
      this.registries.push(createRegistry());
      return pipeline('p', [circuitBreaker({ ...options, shared: this.#shared })], {
        clock: this.clock,
        random: seededRandom(n),
        registry: this.registries[n],
        report: listener,
      });
    });
  }

  exchange(circuit: string, report: NodeReport): Promise<SharedVerdict> {
    this.exchanges += 1;
    if (this.trouble === 'throws') throw new Error('store down');
    if (this.trouble === 'rejects') return Promise.reject(new Error('store down'));
    if (this.trouble === 'hangs') return new Promise(() => {});
    if (this.trouble === 'says null') return Promise.resolve(null as never);
    if (this.trouble === 'says {}') return Promise.resolve({} as never);
    this.names.add(report.node);
    return this.#store.exchange(circuit, report).then((verdict) => {
      if (verdict.mayProbe) this.granted = report.node;
      return verdict;
    });
  }

  /** Lets every node call once per tick for so long. */
  async play(ms: number): Promise<void> {
    for (let t = 0; t < ms; t += TICK_MS) await this.#tick();
  }

  /** Plays until one node may probe; that node's number. */
  async playUntilProbeIsGranted(): Promise<number> {
    this.granted = undefined;
    while (this.granted === undefined) await this.#tick();
    return [...this.names].indexOf(this.granted);
  }

  swapAll(options: CircuitBreakerOptions): void {
    for (const p of this.#pipelines) p.swap([circuitBreaker({ ...options, shared: this.#shared })]);
  }

  circuit(n: number) {
    return this.#pipelines[n]!.inspect().policies[0]!.circuit!;
  }

  states(): string[] {
    return this.#pipelines.map((_, n) => this.circuit(n).state);
  }

  whys(n: number): string[] {
    return this.events[n]!.flatMap((event) =>
      event.type === 'circuit' ? [`${event.from} > ${event.to}: ${event.why}`] : [],
    );
  }

  async #tick(): Promise<void> {
    const calls = this.#pipelines.map(async (p, n) => {
      if (this.silent.has(n)) return;
      const beganMs = this.clock.now();
      await p
        .execute(async () => {
          this.sent += 1;
          if (this.failing.has(n) || (this.flutters && this.sent % 2 === 0)) throw down;
        })
        .catch((error) => {
          if (error !== down && error.policy !== 'circuit') this.unexpected.push(error);
        });
      this.longestCallMs = Math.max(this.longestCallMs, this.clock.now() - beganMs);
    });
    await Promise.all(calls);
    await this.clock.advance(TICK_MS);
  }
}
