import { type CallsReport, soakEveryPolicy } from './every-policy.ts';
import { soakKeyedBreakers } from './keyed-breakers.ts';

const KEYS = 100_000;

/** Live bytes may differ by so much between the second tenth and any later one: noise, and no leak of a byte a call. */
export const NOISE_BYTES = 1024 * 1024;

/** How much more is alive at the end than when it was warm. */
export const growthOf = ({ heaps }: CallsReport): number => Math.max(...heaps.slice(2)) - heaps[1]!;

/** Prints what the engine keeps after `calls` through all policies, and what 100,000 circuits weigh; whether both are in bounds. */
export async function soakCore(calls: number): Promise<boolean> {
  console.log(`node ${process.version}, ${process.platform} ${process.arch}`);
  const report = await soakEveryPolicy(calls);
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(2);
  console.log(
    `${calls} calls through 13 policies, ${Math.round(report.callsPerSecond)} a second; ` +
      `live heap after each tenth, MiB: ${report.heaps.map(mib).join(' ')}`,
  );
  console.log(`growth after the second tenth: ${Math.round(growthOf(report) / 1024)} KiB`);
  console.log(`timers left ${report.timersLeft}, permits and calls left ${report.left}`);
  console.log(
    `events: ${Object.entries(report.events)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  );
  const keyed = await soakKeyedBreakers(KEYS);
  console.log(
    `${KEYS} keyed circuits, bytes each with their pipelines: made ${Math.round(keyed.made)}, ` +
      `used ${Math.round(keyed.used)}, failed once ${Math.round(keyed.failed)}; timers ${keyed.timersLeft}`,
  );
  console.log(
    `forgotten when idle: ${keyed.forgotten}; left of them ${Math.round(keyed.bytesAfter / 1024)} KiB`,
  );
  return (
    growthOf(report) <= NOISE_BYTES &&
    report.timersLeft + report.left + keyed.timersLeft === 0 &&
    Math.max(keyed.made, keyed.used, keyed.failed) <= 1_024
  );
}
