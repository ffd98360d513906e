import assert from 'node:assert/strict';
import { seededRandom } from '@holdfast/core/testing';
import type { AppendMessage, Lease, MessageStore, QueuedPage } from '../../store.ts';
import { deadSteps } from './random-program-dead.ts';
import { StoreModel } from './store-model.ts';

const STEPS = 120;
const LIMITS = { maxMessages: 40, maxBytes: 1_000_000 };

/** A store, its time, and which of all programs to run on it. */
export interface Program {
  readonly name: string;
  readonly store: MessageStore;
  readonly clock: { now(): number; advance(ms: number): Promise<void> };
  readonly seed: number;
  /** Closes the store and opens it again, where it then has what it had. */
  readonly reopen?: () => Promise<MessageStore>;
  /** It makes messages larger, so that bytes are not compared. @default false */
  readonly grows?: boolean;
}

/**
 * Runs one program on a store and on the model, and compares every answer. Every method of the port is in it but
 * `watch`, which is about other processes.
 */
export async function randomProgram(program: Program): Promise<void> {
  const { name, clock, seed, reopen, grows = false } = program;
  let { store } = program;
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random.next() * count);
  const model = new StoreModel();
  const held: Lease[][] = [];
  let made = 0;
  /** The last one of which something was kept. */
  let completed: string | undefined;
  const trace: string[] = [];

  const replaces = () => ({
    name: `name-${pick(2)}`,
    ...(pick(3) === 0 && { due: 'kept' as const }),
    ...(pick(3) === 0 && { maxWaitMs: 1 + pick(200) }),
  });
  /** Sometimes an id that is known already. */
  const newMessage = (): AppendMessage => {
    const n = random.next() < 0.1 ? pick(made + 1) : ++made;
    const key = n % 4 === 0 ? undefined : `key-${n % 4}`;
    return {
      id: `m${n}`,
      topic: n % 9 === 0 ? 'other' : 'events',
      key,
      body: Buffer.from('x'.repeat(1 + pick(3))),
      headers: {},
      delayMs: n % 5 === 0 ? 1 + pick(200) : 0,
      priority: n % 3 === 0 ? pick(10) : 0,
      ...(n % 6 === 0 && { lifetimeMs: 1 + pick(300) }),
      ...(n % 7 < 2 && { replaces: replaces() }),
    };
  };
  /** Sometimes with one of them twice. */
  const batch = () => {
    const leases = held.splice(pick(held.length), 1)[0] ?? [];
    return random.next() < 0.2 ? [...leases, ...leases.slice(0, 1)] : leases;
  };
  const tokens = (leases: readonly Lease[]) =>
    leases.map(({ message, token }) => ({ id: message.id, token }));

  const steps: Readonly<
    Record<string, () => Promise<readonly [actual: unknown, expected: unknown]>>
  > = {
    async accept() {
      const groups = Array.from({ length: 1 + pick(3) }, () =>
        Array.from({ length: 1 + pick(4) }, newMessage),
      );
      const results = await store.append(groups, LIMITS);
      const actual = results.map((each) => (each.kind === 'kept' ? each.duplicates : 'full'));
      return [actual, groups.map((group) => model.append(group, LIMITS.maxMessages, clock.now()))];
    },
    async lease() {
      const limit = 1 + pick(5);
      const topics = [undefined, undefined, ['events'], ['other', 'none']][pick(4)];
      const leases = await store.lease(limit, 100, topics);
      if (leases.length > 0) held.push([...leases]);
      const actual = leases.map(({ message, delivery, expired }) => {
        return `${message.id}#${delivery}${expired ? ' expired' : ''}`;
      });
      return [
        actual,
        model.lease(limit, clock.now() + 100, clock.now(), leases[0]?.token ?? '', topics),
      ];
    },
    async complete() {
      const leases = batch();
      // Of the first of them something is kept, sometimes for less than a step.
      const kept = leases.slice(0, pick(2));
      const keptMs = 1 + pick(400);
      const text = `of ${clock.now()}`;
      const results = kept.map((lease) => ({ lease, text, keptMs }));
      const untilMs = clock.now() + keptMs;
      const expected = kept.map(({ message: { id } }) => ({ id, text, untilMs }));
      const actual = await store.complete(leases, results);
      if (actual > 0 && kept[0] !== undefined) completed = kept[0].message.id;
      return [actual, model.complete(tokens(leases), clock.now(), expected)];
    },
    async renew() {
      const leases = held[pick(held.length)] ?? [];
      const actual = await store.renew(leases, 100);
      return [actual, model.renew(tokens(leases), clock.now(), clock.now() + 100)];
    },
    async note() {
      const leases = held[pick(held.length)] ?? [];
      const text = `at ${clock.now()}`;
      const actual = await store.note(leases.map((lease) => ({ lease, text })));
      return [actual, model.note(tokens(leases), clock.now(), text)];
    },
    async find() {
      const some = held[pick(held.length)]?.[0]?.message.id;
      const id = (pick(3) === 0 ? completed : some) ?? `m${pick(made + 1)}`;
      const found = await store.find(id);
      const { state, deliveries, leased, progress, result } = found ?? {};
      const actual = found && { state, deliveries, leased, progress, result };
      return [actual, model.find(id, clock.now())];
    },
    async fail() {
      const leases = batch();
      // Now and then for longer than any lease.
      const delayMs = random.next() < 0.1 ? 700_000 : pick(3) * 40;
      const actual = await store.release(leases, { delayMs, error: 'failed' });
      return [actual, model.release(tokens(leases), clock.now(), clock.now() + delayMs)];
    },
    async bury() {
      const leases = batch();
      const reason = ['refused', 'too old'][pick(2)] as string;
      const actual = await store.bury(leases, reason);
      return [actual, model.bury(tokens(leases), clock.now(), reason)];
    },
    ...deadSteps({ store: () => store, model, clock, random, someId: () => `m${pick(made + 1)}` }),
    async listQueued() {
      const limit = 1 + pick(7);
      const ids: string[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: QueuedPage = await store.listQueued({ limit, after });
        ids.push(...page.messages.map(({ id }) => id));
        after = page.next;
      }
      return [ids, model.listQueued()];
    },
    async reopen() {
      if (reopen !== undefined) store = await reopen();
      return [null, null];
    },
    async lapse() {
      await clock.advance(random.next() < 0.05 ? 700_000 : 1 + pick(150));
      return [null, null];
    },
    async withdraw() {
      const ids = random.next() < 0.5 ? [`m${pick(made + 1)}`, `m${pick(made + 1)}`] : [];
      return [await store.withdraw(ids), model.withdraw(ids)];
    },
    async pause() {
      const topic = ['other', 'none', 'events'][pick(3)] as string;
      const forMs = [undefined, 1 + pick(200)][pick(2)];
      const untilMs = clock.now() + (forMs ?? Number.POSITIVE_INFINITY);
      return [await store.pause(topic, forMs), model.pause(topic, clock.now(), untilMs)];
    },
    async resume() {
      const topics = ['other', 'none', 'events'];
      const actual = [];
      for (const topic of topics) actual.push(await store.resume(topic));
      return [actual, topics.map((topic) => model.resume(topic, clock.now()))];
    },
    async replay() {
      const ids = [`m${pick(made + 1)}`, `m${pick(made + 1)}x`];
      return [await store.replay(ids), model.replay(ids)];
    },
    async discard() {
      const ids = random.next() < 0.2 ? [`m${pick(made + 1)}`] : [];
      return [await store.discard(ids), model.discard(ids)];
    },
  };
  const names = Object.keys(steps);
  for (let step = 0; step < STEPS; step += 1) {
    const what = names[pick(names.length)] ?? 'lapse';
    trace.push(what);
    const [actual, expected] = await (steps[what] as () => Promise<readonly [unknown, unknown]>)();
    const where = `${name}, seed ${seed}, step ${step}: ${trace.slice(-8).join(' ')}`;
    assert.deepEqual(actual, expected, where);
    const expectedStats = model.stats(clock.now());
    // How old the oldest is, stores tell by the first in the queue: the contract has that.
    const { oldestMs: _, paused: pauses, ...stats } = await store.stats();
    const queuedBytes = grows ? expectedStats.queuedBytes : stats.queuedBytes;
    const paused = pauses.map(({ topic }) => topic);
    assert.deepEqual({ ...stats, queuedBytes, paused }, expectedStats, where);
  }
}
