import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDaprd } from '../../tests/conformance/makes/daprd.ts';
import { keepCoresAwake } from './awake-cores.ts';
import { type Child, startChild } from './child.ts';
import { inTurns } from './in-turns.ts';
import { type LoadGenerator, loadGenerator } from './load.ts';
import {
  type Behind,
  type Pair,
  startBarePair,
  startDaprdPair,
  startHoldfastPair,
} from './pair.ts';
import { printMachine } from './print-machine.ts';

const CONNECTIONS = [1, 32, 128];
const ROUNDS = 3;
const SECONDS = 3;
/** Idle is what has nothing left of its start; both makes are asked at the same moment. */
const IDLE_SECONDS = 10;
const WARM_UP_SECONDS = 2;

/** One round of one pair at one number of connections. */
interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU per request of the caller's sidecar and of the callee's, in microseconds. */
  readonly firstUs: number;
  readonly secondUs: number;
}

interface Memory {
  readonly first: number;
  readonly second: number;
}

/**
 * Service invocation through two sidecars, ours and real daprd, and through two relays of bytes, in one run:
 * same application, same policy file, tracing at 1 %, short interleaved rounds.
 * `only` leaves the other pair out (`node … sidecar.bench.ts holdfast`).
 */
export async function run(only?: string): Promise<void> {
  await measured((behind) => startPairs(behind, only));
}

/** Measures what `start` starts in front of one application, and ends it all. */
export async function measured(start: (behind: Behind) => Promise<readonly Pair[]>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const children: Child[] = [];
  try {
    const app = startChild('app', [process.execPath, join(import.meta.dirname, 'app-process.ts')]);
    children.push(app.child);
    const { port } = JSON.parse(await app.firstLine) as { port: number };
    const pairs = await start({ folder, appPort: port });
    children.push(...pairs.flatMap(({ first, second }) => [first, second]));
    await measure(pairs, loadGenerator());
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startPairs(behind: Behind, only?: string): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  if (only !== 'daprd') pairs.push(await startHoldfastPair(behind));
  if (only === 'holdfast') return pairs;
  if (only === undefined) pairs.push(await startBarePair(behind));
  const daprd = await findDaprd();
  if (daprd === undefined) {
    console.log('skipped: real daprd (../shared/peers is not here, or not for this machine)');
  } else {
    pairs.push(await startDaprdPair(daprd, behind));
  }
  return pairs;
}

async function measure(pairs: readonly Pair[], load: LoadGenerator): Promise<void> {
  printMachine(`${load.name}; medians of ${ROUNDS} × ${SECONDS} s`);
  for (const pair of pairs) console.log(`${pair.name}: ${pair.version}`);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  const idle = new Map(pairs.map((pair) => [pair, memoryOf(pair)]));
  const loaded = new Map(idle);
  for (const pair of pairs) await load.run(pair, 32, WARM_UP_SECONDS);

  console.log(
    '\nconnections  pair        req/s   p50 ms   p99 ms   CPU µs/request, first + second',
  );
  const measureAt = async (connections: number, label = String(connections)) => {
    const results = await inTurns<keyof Round>(pairs, ROUNDS, async (pair) => {
      const round = await oneRound(pair, load, connections);
      loaded.set(pair, larger(loaded.get(pair)!, memoryOf(pair)));
      return round;
    });
    for (const [pair, result] of results) printRound(label, pair, result);
    printRatios(results);
  };
  for (const connections of CONNECTIONS) await measureAt(connections);
  const rest = keepCoresAwake();
  if (rest !== undefined) {
    await measureAt(1, '1, awake');
    rest();
  }
  console.log(
    `\nresident MB  idle for ${IDLE_SECONDS} s (first, second)   under load, largest seen`,
  );
  for (const pair of pairs) {
    const [a, b] = [idle.get(pair)!, loaded.get(pair)!];
    const shown = [a.first, a.second, b.first, b.second].map((mb) => mb.toFixed(0).padStart(4));
    console.log(
      `  ${pair.name.padEnd(10)} ${shown[0]}, ${shown[1]}            ${shown[2]}, ${shown[3]}`,
    );
  }
}

async function oneRound(pair: Pair, load: LoadGenerator, connections: number): Promise<Round> {
  const before = [pair.first.cpuUs(), pair.second.cpuUs()] as const;
  const { requests, perSecond, p50Ms, p99Ms } = await load.run(pair, connections, SECONDS);
  return {
    perSecond,
    p50Ms,
    p99Ms,
    firstUs: (pair.first.cpuUs() - before[0]) / requests,
    secondUs: (pair.second.cpuUs() - before[1]) / requests,
  };
}

function memoryOf({ first, second }: Pair): Memory {
  return { first: first.residentMb(), second: second.residentMb() };
}

function larger(a: Memory, b: Memory): Memory {
  return { first: Math.max(a.first, b.first), second: Math.max(a.second, b.second) };
}

function printRound(label: string, { name }: Pair, round: Round): void {
  const cells = [
    label.padStart(11),
    name.padEnd(9),
    round.perSecond.toFixed(0).padStart(7),
    round.p50Ms.toFixed(2).padStart(8),
    round.p99Ms.toFixed(2).padStart(8),
    `${round.firstUs.toFixed(0).padStart(5)} + ${round.secondUs.toFixed(0)}`,
  ];
  console.log(cells.join('  '));
}

function printRatios(results: readonly (readonly [Pair, Round])[]): void {
  const roundOf = (pair: string) => results.find(([{ name }]) => name === pair)?.[1];
  const theirs = roundOf('daprd');
  if (theirs === undefined) return;
  for (const [whose, round] of [
    ['ours', roundOf('holdfast')],
    ['bare', roundOf('bare')],
  ] as const) {
    if (round !== undefined)
      console.log(`             ${whose} to daprd: ${ratios(round, theirs)}`);
  }
}

function ratios(round: Round, theirs: Round): string {
  const times = (ratio: number) => `${ratio.toFixed(2)} ×`;
  const cpu = ({ firstUs, secondUs }: Round) => firstUs + secondUs;
  return [
    `req/s ${times(round.perSecond / theirs.perSecond)}`,
    `p50 ${times(round.p50Ms / theirs.p50Ms)}`,
    `p99 ${times(round.p99Ms / theirs.p99Ms)}`,
    `CPU ${times(cpu(round) / cpu(theirs))}`,
  ].join(', ');
}

if (import.meta.main) await run(process.argv[2]);
