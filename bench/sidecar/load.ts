import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';

/** What a load generator saw in one round. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadGenerator {
  readonly name: string;
  run(url: string, connections: number, seconds: number): Promise<LoadResult>;
}

/** `wrk` where it is installed: it takes less of the machine, and its latencies are in microseconds. */
export function loadGenerator(): LoadGenerator {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, 'wrk'))) ? wrk : autocannonLoad;
}

const wrk: LoadGenerator = {
  name: 'wrk',
  async run(url, connections, seconds) {
    const { stdout } = await promisify(execFile)('wrk', [
      ...['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '5s', url],
    ]);
    const failed = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(stdout);
    if (failed !== null) throw new Error(`${url} with ${connections} connections: ${failed[0]}`);
    const text = (pattern: RegExp) => pattern.exec(stdout)?.[1] ?? '0';
    return {
      requests: Number(text(/(\d+) requests in/)),
      perSecond: Number(text(/Requests\/sec:\s+([\d.]+)/)),
      p50Ms: milliseconds(text(/^\s+50%\s+(\S+)/m)),
      p99Ms: milliseconds(text(/^\s+99%\s+(\S+)/m)),
    };
  },
};

/** wrk says `812.00us`, `1.23ms` or `1.02s`. */
function milliseconds(text: string): number {
  const value = Number.parseFloat(text);
  if (text.endsWith('us')) return value / 1_000;
  return text.endsWith('ms') ? value : value * 1_000;
}

const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run(url, connections, seconds) {
    const result = await autocannon({ url, connections, duration: seconds });
    if (result.errors + result.non2xx > 0) {
      const codes = Object.entries(result.statusCodeStats ?? {})
        .map(([status, { count }]) => `${count} × ${status}`)
        .join(', ');
      throw new Error(`${url} with ${connections} connections: ${result.errors} errors, ${codes}`);
    }
    const { total, average } = result.requests;
    const { p50, p99 } = result.latency;
    return { requests: total, perSecond: average, p50Ms: p50, p99Ms: p99 };
  },
};
