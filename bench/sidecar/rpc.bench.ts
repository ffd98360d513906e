import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDaprd } from '../../tests/conformance/makes/daprd.ts';
import { type Child, startChild } from './child.ts';
import { inTurns } from './in-turns.ts';
import type { LoadResult } from './load.ts';
import { type Pair, startDaprdPair, startHoldfastPair } from './pair.ts';
import { printMachine } from './print-machine.ts';
import { rpcLoad } from './rpc-load.ts';

const IN_FLIGHT = [1, 32];
const ROUNDS = 3;
const SECONDS = 3;

/** Unary gRPC calls of any service, passed through two sidecars: ours and real daprd, interleaved. */
export async function run(only?: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const children: Child[] = [];
  try {
    const program = join(import.meta.dirname, 'rpc-app-process.ts');
    const app = startChild('app', [process.execPath, program]);
    children.push(app.child);
    const { port } = JSON.parse(await app.firstLine) as { port: number };
    const to = { folder, appPort: port, appProtocol: 'grpc' } as const;
    const pairs: Pair[] = [];
    if (only !== 'daprd') pairs.push(await startHoldfastPair(to));
    const daprd = only === 'holdfast' ? undefined : await findDaprd();
    if (daprd !== undefined) pairs.push(await startDaprdPair(daprd, to));
    children.push(...pairs.flatMap(({ first, second }) => [first, second]));
    await measure(pairs);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface Measured extends LoadResult {
  /** CPU per call of both sidecars, in microseconds. */
  readonly cpuUs: number;
}

async function measure(pairs: readonly Pair[]): Promise<void> {
  printMachine(`gRPC calls passed through, medians of ${ROUNDS} × ${SECONDS} s`);
  console.log('in flight  pair        calls/s   p50 ms   p99 ms   CPU µs/call, both');
  for (const { grpcPort } of pairs) await rpcLoad(grpcPort, 32, 1);
  for (const inFlight of IN_FLIGHT) {
    const results = await inTurns<keyof Measured>(pairs, ROUNDS, (pair) =>
      oneRound(pair, inFlight),
    );
    for (const [{ name }, { cpuUs, p50Ms, p99Ms, perSecond }] of results) {
      const cells = [perSecond.toFixed(0).padStart(7), p50Ms.toFixed(2), p99Ms.toFixed(2)];
      const shown = cells.map((cell) => cell.padStart(8)).join(' ');
      console.log(
        `${String(inFlight).padStart(9)}  ${name.padEnd(9)} ${shown}   ${cpuUs.toFixed(0)}`,
      );
    }
    const [ours, theirs] = ['holdfast', 'daprd'].map(
      (name) => results.find(([pair]) => pair.name === name)?.[1],
    );
    if (ours === undefined || theirs === undefined) continue;
    const times = (a: number, b: number) => `${(a / b).toFixed(2)} ×`;
    console.log(
      `           ours to daprd: calls/s ${times(ours.perSecond, theirs.perSecond)}, p50 ${times(ours.p50Ms, theirs.p50Ms)}, p99 ${times(ours.p99Ms, theirs.p99Ms)}, CPU ${times(ours.cpuUs, theirs.cpuUs)}`,
    );
  }
}

async function oneRound(pair: Pair, inFlight: number): Promise<Measured> {
  const cpu = () => pair.first.cpuUs() + pair.second.cpuUs();
  const before = cpu();
  const result = await rpcLoad(pair.grpcPort, inFlight, SECONDS);
  return { ...result, cpuUs: (cpu() - before) / result.requests };
}

if (import.meta.main) await run(process.argv[2]);
