import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import type { Broker } from '../../broker.ts';
import type { OutgoingMessage } from '../../message.ts';
import { eventually } from '../eventually.ts';
import { type TcpProxy, tcpProxy } from '../servers/tcp-proxy.ts';
import { OutageLoad } from './outage-load.ts';

/** What an adapter supplies to be put to the test; one running broker for the whole suite. */
export interface BrokerUnderOutages {
  /**
   * A new connection under a name of its own, to that port of 127.0.0.1 and no other. The suite
   * closes it. An adapter that can be told of another address asks again whenever it connects.
   * With `killed` the broker will be killed: what it has just been told must outlast that.
   */
  connect(clientId: string, port: () => number, killed: boolean): Broker;
  /** Where the broker itself listens now. */
  port(): number;
  /** Where clients are to come now: one that tells them so has to know it before. @default any free port */
  frontPort?(): number;
  kill(): Promise<void>;
  /** Brings it back, with what it had acknowledged. */
  start(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Kills it, and brings it back on another port, with what it had acknowledged; absent where nobody can. */
  move?(): Promise<void>;
  /** Whether a client sends an acknowledgement in this piece. */
  acknowledges(piece: Buffer): boolean;
}

export interface OutageAbilities {
  readonly skip?: string | false;
  /** A client finds a broker at another address; else the address is the same and leads elsewhere. @default false */
  readonly findsAddress?: boolean;
  /** Two members of one group may be up at the same time. @default true */
  readonly severalMembers?: boolean;
  /**
   * What it acknowledged so shortly before it was killed may be gone: it writes later than it
   * acknowledges. How much of it was is printed. @default 0 ms
   */
  readonly mayForgetMs?: number;
  /**
   * Where nobody asks for seeds, only these; for a broker that takes seconds to start. @default all
   */
  readonly shortRun?: readonly Outage[];
}

/** A broker under load, and what can be done to it. */
interface World extends BrokerUnderOutages {
  readonly random: Random;
  readonly findsAddress: boolean;
  proxy: TcpProxy;
}

const KILL = 'a SIGKILL';
const MOVE = 'a restart at another address';

/** Each resolves when the broker is there again. */
const OUTAGES = {
  async [KILL]({ kill, random, start }: World) {
    await kill();
    await sleep(random.next() * 500);
    await start();
  },

  async 'a SIGSTOP'({ random, signal }: World) {
    signal('SIGSTOP');
    await sleep(200 + random.next() * 4_000);
    signal('SIGCONT');
  },

  async [MOVE](world: World) {
    await world.move?.();
    if (!world.findsAddress) {
      world.proxy.target(world.port());
      return;
    }
    const before = world.proxy;
    world.proxy = await tcpProxy(world.port(), world.frontPort?.());
    await before.close();
  },

  async 'three connections reset half-way through an acknowledgement'(world: World) {
    for (let cuts = 0; cuts < 3; cuts += 1) {
      const cut = world.random.next() < 0.5 ? 'half-sent' : 'unanswered';
      await world.proxy.cutOnce((piece) => world.acknowledges(piece), cut);
    }
  },

  async 'a slow network'({ proxy, random }: World) {
    proxy.delay(20 + random.next() * 100);
    await sleep(1_500);
    proxy.delay(0);
  },
} as const;

export type Outage = keyof typeof OUTAGES;

/** Seeds for each outage; ten of them are the long run. */
const ASKED = process.env.HOLDFAST_OUTAGE_SEEDS;
const SEEDS = Number(ASKED ?? 1);
const FIRST_SEED = Number(process.env.HOLDFAST_SEED ?? 1);

/**
 * Real outages, at a moment that the seed decides, while messages are published
 * and handled through a proxy: none may be lost, and the order of a key stays.
 * How long it took and what came twice is printed.
 */
export function brokerOutages(
  name: string,
  under: () => Promise<BrokerUnderOutages>,
  {
    skip = false,
    findsAddress = false,
    severalMembers = true,
    mayForgetMs = 0,
    shortRun,
  }: OutageAbilities = {},
): void {
  describe(`${name} loses nothing`, { skip }, () => {
    for (const [what, outage] of Object.entries(OUTAGES)) {
      if (ASKED === undefined && shortRun?.some((each) => each === what) === false) continue;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
        test(`in ${what} (seed ${seed})`, async (t) => {
          const broker = await under();
          if (what === MOVE && broker.move === undefined) {
            t.skip('this broker cannot be brought back on another port');
            return;
          }
          const proxy = await tcpProxy(broker.port(), broker.frontPort?.());
          const world: World = { ...broker, proxy, findsAddress, random: seededRandom(seed) };
          const topic = `outage-${process.pid}-${what.replaceAll(/\W+/g, '-')}-${seed}`;
          const members = severalMembers ? 2 : 1;
          const kills = what === KILL || what === MOVE;
          const connected: Broker[] = [];
          const over = new AbortController();
          try {
            const played = { world, topic, outage, members, kills, mayForgetMs, connected };
            await play(t, { ...played, over: over.signal });
          } finally {
            over.abort();
            await Promise.all(connected.map((each) => each.close()));
            await world.proxy.close();
          }
        });
      }
    }
  });
}

interface Play {
  /** Ended when the play is over, however that was. */
  readonly over: AbortSignal;
  readonly world: World;
  readonly topic: string;
  readonly outage: (world: World) => Promise<void>;
  readonly members: number;
  readonly kills: boolean;
  readonly mayForgetMs: number;
  /** To be closed. */
  readonly connected: Broker[];
}

interface Arrival {
  readonly id: string;
  readonly key: string | undefined;
}

async function play(
  t: TestContext,
  { connected, kills, mayForgetMs, members, outage, over, topic, world }: Play,
): Promise<void> {
  const connect = (clientId: string) => {
    const broker = world.connect(`${clientId}-${topic}`, () => world.proxy.port, kills);
    connected.push(broker);
    return broker;
  };
  const inOrder: Arrival[] = [];
  const sideBySide: Arrival[] = [];
  const groups = [
    { group: `in-order-${topic}`, concurrency: 1, arrived: inOrder },
    { group: `side-by-side-${topic}`, concurrency: 4, arrived: sideBySide },
  ];
  const join = async ({ arrived, ...how }: (typeof groups)[number]) => {
    for (let member = 0; member < members; member += 1) {
      await connect(`member-${member}`).subscribe(topic, how, async ({ id, key }) => {
        await sleep(2);
        arrived.push({ id, key });
      });
    }
  };
  await Promise.all(groups.map(join));

  const load = new OutageLoad(connect('publisher'), topic, world.random, over);
  const running = load.run();
  // Where it fails the test has failed already, or will when it is awaited.
  running.catch(() => {});
  const begun = 20 + Math.floor(world.random.next() * 40);
  await eventually(
    () => inOrder.length,
    (count) => count >= begun,
    'they arrive',
  );
  const goneMs = performance.now();
  await outage(world);
  const backMs = performance.now();
  const last = load.next;
  await eventually(
    () => load.published.length,
    (count) => count > last,
    'publishing works again',
  );
  const publishingMs = performance.now() - backMs;
  await eventually(
    () => inOrder.some(({ id }) => load.isAfter(id, last)),
    (arrived) => arrived,
    'the subscription is back',
  );
  const handlingMs = performance.now() - backMs;
  load.stop();
  await running;
  const sent = load.published;
  const forgettable = new Set(
    kills && mayForgetMs > 0 ? load.takenBetween(goneMs - mayForgetMs, backMs) : [],
  );
  for (const { arrived, group } of groups) {
    await eventually(
      () => missing(sent, arrived).filter((id) => !forgettable.has(id)),
      ({ length }) => length === 0,
      `all ${sent.length} arrive in ${group}, and these have not`,
    );
  }

  const twice = (arrived: readonly Arrival[]) => arrived.length - distinct(arrived).length;
  t.diagnostic(
    `publishing again ${publishingMs.toFixed(0)} ms and handling again ${handlingMs.toFixed(0)} ms after it was back; ` +
      `${sent.length} messages, ${load.failed} sendings failed, ` +
      `duplicates: ${twice(inOrder)} in order, ${twice(sideBySide)} side by side` +
      (kills && mayForgetMs > 0
        ? `; forgotten by the broker: ${missing(sent, inOrder).length}`
        : ''),
  );
  const kept = sent.filter(({ id }) => !missing(sent, inOrder).includes(id));
  assert.deepEqual(byKey(distinct(inOrder)), byKey(kept));
  const known = new Set(idsOf(sent));
  assert.deepEqual(
    sideBySide.filter(({ id }) => !known.has(id)),
    [],
    'what was never sent',
  );
}

/** As they came first. */
function distinct(arrived: readonly Arrival[]): readonly Arrival[] {
  const seen = new Set<string>();
  return arrived.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function missing(sent: readonly OutgoingMessage[], arrived: readonly Arrival[]): string[] {
  const ids = new Set(idsOf(arrived));
  return idsOf(sent).filter((id) => !ids.has(id));
}

function byKey(all: readonly Arrival[]): Record<string, string[]> {
  const keys = Map.groupBy(all, ({ key }) => key ?? '');
  return Object.fromEntries([...keys].map(([key, its]) => [key, idsOf(its)]));
}

function idsOf(all: readonly { readonly id: string }[]): string[] {
  return all.map(({ id }) => id);
}
