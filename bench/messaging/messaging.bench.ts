import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessageStore, openOutbox } from '@holdfast/messaging';
import { encryptedStore } from '@holdfast/messaging/encrypted';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { memoryBroker } from '@holdfast/messaging/testing';
import { peerVersion } from '../peer.ts';
import { type Backlog, backlog } from './backlog.ts';
import { type Comparison, compareQueues, type QueueFigures } from './queues/compare-queues.ts';
import { rawSqlite } from './raw-sqlite.ts';

const GROUP = 100;
const EVENTS = 30_000;
const SINGLES = 500;
const ROUNDS = 3;
const BACKLOG = 1_000_000;
const BODY = JSON.stringify({
  type: 'sensor.tested',
  value: 21.5,
  unit: '°C',
  note: 'x'.repeat(120),
});

/** Prints the outbox's figures beside SQLite by hand, round by round on one disk. */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const fresh = () => join(directory, `${Math.random().toString(36).slice(2)}.db`);
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}, commit ${commit()}, ${BODY.length}-byte events`,
  );
  try {
    const grouped: number[] = [];
    const encrypted: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      floor.push(rawInGroups(fresh()));
      grouped.push(await inGroups(sqliteStore({ path: fresh() })));
      encrypted.push(await inGroups(encryptedSqlite(fresh())));
    }
    const [ours, raw] = [best(grouped), best(floor)];
    print(`events/s in groups of ${GROUP}, outbox`, ours, '≥ 100,000', ours >= 100_000);
    print(`events/s in groups of ${GROUP}, node:sqlite by hand`, raw);
    print('outbox / node:sqlite', ours / raw, '≥ 0.7', ours / raw >= 0.7);
    print(`the same, encrypted (AES-256-GCM)`, best(encrypted));
    print('encrypted / in clear', best(encrypted) / ours);
    const simultaneous = await thousandAtOnce(fresh());
    print(
      '1,000 simultaneous accepts, first in the process, ms',
      simultaneous.coldMs,
      '≤ 50',
      simultaneous.coldMs <= 50,
    );
    print(
      '1,000 simultaneous accepts, median of 20, ms',
      simultaneous.warmMs,
      '≤ 50',
      simultaneous.warmMs <= 50,
    );
    print('single accepts, one after another, /s', await singles(sqliteStore({ path: fresh() })));
    print('the same, encrypted', await singles(encryptedSqlite(fresh())));
    print('single inserts by hand, one after another, /s', rawSingles(fresh()));
    print(
      'relay, events/s from disk to a broker in memory',
      await drained(sqliteStore({ path: fresh() })),
    );
    print('the same, encrypted', await drained(encryptedSqlite(fresh())));
    printBacklog(await backlog(sqliteStore({ path: fresh() }), BACKLOG, BODY));
    printQueues(await compareQueues(directory));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function encryptedSqlite(path: string): MessageStore {
  return encryptedStore(sqliteStore({ path }), { keys: [{ key: Buffer.alloc(32, 7) }] });
}

async function inGroups(store: MessageStore): Promise<number> {
  const outbox = await openOutbox({ store });
  const group = Array.from({ length: GROUP }, () => ({ topic: 'events', body: BODY }));
  const startedMs = performance.now();
  for (let done = 0; done < EVENTS; done += GROUP) await outbox.accept(group);
  const perSecond = (EVENTS / (performance.now() - startedMs)) * 1_000;
  await outbox.close();
  return perSecond;
}

function rawInGroups(path: string): number {
  const raw = rawSqlite(path);
  const group = Array.from({ length: GROUP }, () => BODY);
  const startedMs = performance.now();
  for (let done = 0; done < EVENTS; done += GROUP) raw.insertGroup(group);
  const perSecond = (EVENTS / (performance.now() - startedMs)) * 1_000;
  raw.close();
  return perSecond;
}

async function thousandAtOnce(path: string) {
  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  const times: number[] = [];
  for (let round = 0; round <= 20; round += 1) {
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: 1_000 }, () => outbox.accept([{ topic: 'events', body: BODY }])),
    );
    times.push(performance.now() - startedMs);
  }
  await outbox.close();
  const [coldMs = 0, ...warm] = times;
  return { coldMs, warmMs: warm.sort((a, b) => a - b)[10] ?? 0 };
}

async function singles(store: MessageStore): Promise<number> {
  const outbox = await openOutbox({ store });
  const startedMs = performance.now();
  for (let n = 0; n < SINGLES; n += 1) await outbox.accept([{ topic: 'events', body: BODY }]);
  const perSecond = (SINGLES / (performance.now() - startedMs)) * 1_000;
  await outbox.close();
  return perSecond;
}

function rawSingles(path: string): number {
  const raw = rawSqlite(path);
  const startedMs = performance.now();
  for (let n = 0; n < SINGLES; n += 1) raw.insertGroup([BODY]);
  const perSecond = (SINGLES / (performance.now() - startedMs)) * 1_000;
  raw.close();
  return perSecond;
}

async function drained(store: MessageStore): Promise<number> {
  const outbox = await openOutbox({ store });
  const group = Array.from({ length: 1_000 }, (_, n) => ({
    topic: 'events',
    key: `k${n % 50}`,
    body: BODY,
  }));
  for (let done = 0; done < EVENTS; done += group.length) await outbox.accept(group);
  const startedMs = performance.now();
  const relay = outbox.relay(memoryBroker(), { batchSize: 500 });
  while ((await outbox.stats()).queued > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const perSecond = (EVENTS / (performance.now() - startedMs)) * 1_000;
  await relay.stop();
  await outbox.close();
  return perSecond;
}

/** A million events that nobody fetches, and how long it takes when somebody does. */
function printBacklog(figures: Backlog): void {
  const { acceptedPerSecond, grownMb, drainMs, drainedPerSecond, drainGrownMb } = figures;
  print(
    `backlog of ${BACKLOG.toLocaleString('en')}, accepted in groups of 1,000, events/s`,
    acceptedPerSecond,
  );
  print('memory that it took from a tenth of it on, MB', grownMb);
  print('the backlog drained, s', drainMs / 1_000);
  print('the backlog drained, events/s', drainedPerSecond);
  print('memory that draining took, MB', drainGrownMb);
}

/** Each beside the others: kept, handed out and marked, one after another and in groups. */
function printQueues({ figures, servers }: Comparison): void {
  const rivals = ['bullmq', 'pg-boss', 'graphile-worker'];
  console.log(
    `\n${[...rivals.map((name) => `${name} ${peerVersion(name)}`), ...servers].join(', ')}; every one flushes what it acknowledges (fsync, Redis appendfsync always)`,
  );
  console.log(
    `\n| kept, handed out, marked | in | single cycles/s | in groups of ${GROUP}, events/s |\n|---|---|---:|---:|`,
  );
  for (const { name, engine, singles, grouped } of figures) {
    console.log(`| ${name} | ${engine} | ${singles.toFixed(0)} | ${grouped.toFixed(0)} |`);
  }
  console.log('');
  const theirs = figures.filter(({ name }) => rivals.includes(name.toLowerCase()));
  const ours = figures.filter((each) => !theirs.includes(each));
  for (const rival of theirs) {
    for (const each of ours) {
      // What is on PostgreSQL is put beside what is there as well.
      if (each.engine === 'PostgreSQL' && rival.engine !== 'PostgreSQL') continue;
      const isGoal = each.name === 'outbox on SQLite' && rival.name !== 'graphile-worker';
      printRatio(each, rival, isGoal ? 5 : undefined);
    }
  }
}

function printRatio(ours: QueueFigures, rival: QueueFigures, goal?: number): void {
  const single = ours.singles / rival.singles;
  const aim = goal === undefined ? '' : `≥ ${goal}`;
  print(`${ours.name} / ${rival.name}, single cycles`, single, aim, single >= (goal ?? 0));
  print(`${ours.name} / ${rival.name}, grouped`, ours.grouped / rival.grouped);
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Of several rounds: the disk is shared, and only the best says what the code costs. */
function best(figures: readonly number[]): number {
  return Math.max(...figures);
}

function print(what: string, figure: number, goal = '', reached = true): void {
  const digits = figure < 100 ? 2 : 0;
  const text = figure.toLocaleString('en', {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
  console.log(
    `${what.padEnd(56)} ${text.padStart(12)}  ${goal && `${goal} ${reached ? '✔' : '✘'}`}`,
  );
}
