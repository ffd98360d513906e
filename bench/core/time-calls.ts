/** One way of making a call, to be timed. */
export interface Contestant {
  readonly name: string;
  readonly call: () => PromiseLike<unknown>;
  /** Calls per round: fewer for slow ones, so that all rounds take about as long. */
  readonly calls: number;
}

/**
 * Processor time of this process: other processes on the machine then distort
 * the figures less. Not `threadCpuUsage`, which counts in steps of 4 ms on many
 * kernels, as long as a whole round of the short calls; so the collector's own
 * threads are counted as well, which serves those right who allocate much.
 */
const usedNs = (since: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) * 1_000;
};

/**
 * Nanoseconds per call of each contestant, one call in flight. Rounds are
 * interleaved, so that a noisy minute of the machine is everybody's; of the
 * rounds the median counts. The `warmUp` rounds before them are the compiler's.
 */
export async function timeCalls(
  contestants: readonly Contestant[],
  rounds: number,
  warmUp = 2,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { name, call, calls } of contestants) {
      const began = process.cpuUsage();
      for (let i = 0; i < calls; i += 1) await call();
      const ns = usedNs(began) / calls;
      if (round >= 0) times.get(name)?.push(ns);
    }
  }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
