import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Metrics } from './metrics/metrics.ts';
import type { Counter, Gauge } from './metrics/series.ts';

/**
 * Registers what any process tells of itself, under the names of Prometheus' own clients; all of it is
 * read at each scrape and costs nothing between. Sizes are bytes, times seconds. What the system does
 * not say (`process_open_fds`, `process_max_fds`, `process_virtual_memory_bytes` outside Linux) is left out.
 *
 * `nodejs_eventloop_active_seconds_total` grows by the time the event loop was not waiting: its rate is
 * how busy the one thread is, from 0 to 1, over any window and for any number of scrapers. At 1
 * everything that the process serves waits for its turn.
 */
export function processMetrics(metrics: Metrics): void {
  const gauge = (name: string, help: string) => metrics.gauge(name, help).labels();
  const counter = (name: string, help: string) => metrics.counter(name, help).labels();
  const resident = gauge('process_resident_memory_bytes', 'Resident memory size in bytes.');
  const heap = gauge('nodejs_heap_size_used_bytes', 'Used heap size in bytes.');
  const cpu = upTo(
    counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.'),
  );
  const active = upTo(
    counter(
      'nodejs_eventloop_active_seconds_total',
      'Total time the event loop was not waiting for anything, in seconds.',
    ),
  );
  // `timeOrigin` is a constant of the process, not a look at the clock.
  gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.').set(
    performance.timeOrigin / 1_000,
  );
  const ofSystem = process.platform === 'linux' ? linuxGauges(gauge) : undefined;

  metrics.collect(() => {
    const { user, system } = process.cpuUsage();
    cpu((user + system) / 1_000_000);
    active(performance.eventLoopUtilization().active / 1_000);
    try {
      const { heapUsed, rss } = process.memoryUsage();
      resident.set(rss);
      heap.set(heapUsed);
      ofSystem?.();
    } catch {
      // A system without /proc, or no descriptor to spare for it: what was known stays.
    }
  });
}

/** Raises a counter to a total that somebody else keeps. */
function upTo(counter: Counter): (total: number) => void {
  let counted = 0;
  return (total) => {
    counter.inc(total - counted);
    counted = total;
  };
}

/** What only `/proc` knows; read synchronously, since it is memory and not a disk. */
function linuxGauges(gauge: (name: string, help: string) => Gauge): () => void {
  const virtual = gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.');
  const open = gauge('process_open_fds', 'Number of open file descriptors.');
  const most = gauge('process_max_fds', 'Maximum number of open file descriptors.');
  return () => {
    const kib = numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB$/m);
    const limit = numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m);
    // One of them is open for this look alone.
    const descriptors = readdirSync('/proc/self/fd').length - 1;
    virtual.set(kib * 1_024);
    most.set(limit);
    open.set(descriptors);
  };
}

/** Infinity where the file says no number there: `unlimited`. */
function numberIn(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found);
}
