import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

/** What is asked again and again. */
export interface LoadRequest {
  readonly url: string;
  /** JSON, sent by POST. @default none: a GET */
  readonly body?: string;
}

export interface LoadGenerator {
  readonly name: string;
  run(request: LoadRequest, connections: number, seconds: number): Promise<LoadResult>;
}

/** `wrk` where it is installed: it takes less of the machine, and its latencies are in microseconds. */
export function loadGenerator(): LoadGenerator {
  return isInstalled('wrk') ? wrk : autocannonLoad;
}

export function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

const wrk: LoadGenerator = {
  name: 'wrk',
  async run({ url, body }, connections, seconds) {
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '5s'];
    const { stdout } =
      body === undefined
        ? await promisify(execFile)('wrk', [...options, url])
        : await withScript(body, (script) =>
            promisify(execFile)('wrk', [...options, '-s', script, url]),
          );
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

/** wrk takes a body from a program in Lua. */
async function withScript<T>(body: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-wrk-'));
  try {
    const file = join(folder, 'post.lua');
    await writeFile(
      file,
      `wrk.method = "POST"\nwrk.body = [==[${body}]==]\nwrk.headers["Content-Type"] = "application/json"\n`,
    );
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** wrk says `812.00us`, `1.23ms` or `1.02s`. */
function milliseconds(text: string): number {
  const value = Number.parseFloat(text);
  if (text.endsWith('us')) return value / 1_000;
  return text.endsWith('ms') ? value : value * 1_000;
}

const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run({ url, body }, connections, seconds) {
    const headers = { 'content-type': 'application/json' };
    const asked = body === undefined ? { url } : { url, method: 'POST' as const, body, headers };
    const result = await autocannon({ ...asked, connections, duration: seconds });
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
