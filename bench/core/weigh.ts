/**
 * Bytes allocated per call while `calls` of them run one after another, the
 * promise and the function's own included. Needs `--expose-gc`.
 */
export async function bytesPerCall(
  call: () => PromiseLike<unknown>,
  calls: number,
): Promise<number> {
  for (let i = 0; i < calls; i += 1) await call();
  const least: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i += 1) await call();
    least.push((process.memoryUsage().heapUsed - before) / calls);
  }
  // A collection in the middle makes it less, never more: the largest is the true one.
  return Math.max(...least);
}

/** Bytes that each of `count` things keeps once it has been made. */
export function bytesKept(make: (n: number) => unknown, count: number): number {
  const kept: unknown[] = new Array(count);
  collect();
  const before = process.memoryUsage();
  for (let n = 0; n < count; n += 1) kept[n] = make(n);
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers);
  return kept.length === count ? bytes / count : Number.NaN;
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('Run the bench with --expose-gc.');
  globalThis.gc();
  globalThis.gc();
}
