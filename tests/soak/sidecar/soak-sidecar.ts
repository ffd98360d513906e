import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@holdfast/test-servers';
import type { Child } from '../../../bench/sidecar/child.ts';
import { type Pair, startHoldfastPair } from '../../../bench/sidecar/pair.ts';
import { CheckedLoad } from './checked-load.ts';
import { MortalApp } from './mortal-app.ts';

/** The circuit opens while the application is away, and must close each time that it is back. */
const POLICIES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: soak }
spec:
  policies:
    timeouts: { general: 3s }
    retries: { twice: { policy: constant, duration: 50ms, maxRetries: 2 } }
    circuitBreakers: { careful: { maxRequests: 1, timeout: 1s, trip: consecutiveFailures >= 5 } }
  targets:
    apps:
      app-b: { timeout: general, retry: twice, circuitBreaker: careful }
`;

/** Of what the pair can carry; measured first, by the client that will ask. */
const SHARE = 0.7;
const CALLERS = 32;
const WARM_MS = 2_000;
/** A circuit that is not closed by then is stuck. */
const STUCK_MS = 15_000;

export interface SidecarSoak {
  readonly capacity: number;
  readonly sent: number;
  readonly good: number;
  readonly refused: ReadonlyMap<number, number>;
  /** Calls without an answer of their own, with what they had in its place. */
  readonly lost: readonly string[];
  /** From the application's return to the first good answer, one for each kill; `Infinity`: never within 15 s. */
  readonly recoveriesMs: readonly number[];
  /** Of both sidecars together, once for each kill, each time just before it. */
  readonly residentMb: readonly number[];
  readonly openFiles: readonly number[];
}

/**
 * Two sidecars as people start them, at 70 % of what they can carry, for `kills`
 * lives of their application, each `lifeMs` long and ended by SIGKILL.
 */
export async function soakSidecar(
  kills: number,
  lifeMs: number,
  watch: (soak: SidecarSoak) => void = () => {},
): Promise<SidecarSoak> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-soak-'));
  const app = new MortalApp(await freePort());
  let pair: Pair | undefined;
  let load: CheckedLoad | undefined;
  try {
    await app.start();
    pair = await startHoldfastPair({ folder, appPort: app.port, policies: POLICIES });
    load = new CheckedLoad(pair.url);
    return await play(pair, load, app, { kills, lifeMs, watch });
  } finally {
    load?.close();
    await Promise.all([pair?.first.stop(), pair?.second.stop(), app.kill()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(
  { first, second }: Pair,
  load: CheckedLoad,
  app: MortalApp,
  { kills, lifeMs, watch }: { kills: number; lifeMs: number; watch: (soak: SidecarSoak) => void },
): Promise<SidecarSoak> {
  await load.capacity(CALLERS, WARM_MS);
  const capacity = await load.capacity(CALLERS, WARM_MS);
  const end = new AbortController();
  const paced = load.pace(capacity * SHARE, end.signal);
  const recoveriesMs: number[] = [];
  const residentMb: number[] = [];
  const openFiles: number[] = [];
  const so = (): SidecarSoak => {
    const { good, lost, refused, sent } = load;
    return { capacity, sent, good, refused, lost, recoveriesMs, residentMb, openFiles };
  };
  while (recoveriesMs.length < kills) {
    await sleep(lifeMs);
    residentMb.push(first.residentMb() + second.residentMb());
    openFiles.push(openFilesOf(first) + openFilesOf(second));
    await app.kill();
    // Long enough for the circuit to open.
    await sleep(Math.min(2_000, lifeMs / 4));
    await app.start();
    recoveriesMs.push(await recovery(load));
    watch(so());
  }
  end.abort();
  await paced;
  return so();
}

async function recovery(load: CheckedLoad): Promise<number> {
  const backMs = performance.now();
  const patience = new AbortController();
  const good = await Promise.race([
    load.nextGood().then(() => true),
    sleep(STUCK_MS, false, { signal: patience.signal }),
  ]);
  patience.abort();
  return good ? performance.now() - backMs : Infinity;
}

/** Linux alone tells; elsewhere 0. */
function openFilesOf({ pid }: Child): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
