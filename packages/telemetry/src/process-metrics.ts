import type { Metrics } from './metrics/metrics.ts';

/** Registers the usual `process_*` gauges; they are read at each scrape and cost nothing between. */
export function processMetrics(metrics: Metrics): void {
  const resident = metrics
    .gauge('process_resident_memory_bytes', 'Resident memory size in bytes.')
    .labels();
  const heap = metrics.gauge('nodejs_heap_size_used_bytes', 'Used heap size in bytes.').labels();
  const cpu = metrics
    .counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.')
    .labels();
  const started = metrics
    .gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.')
    .labels();
  let countedSeconds = 0;

  // `timeOrigin` is a constant of the process, not a look at the clock.
  started.set(performance.timeOrigin / 1_000);
  metrics.collect(() => {
    const { user, system } = process.cpuUsage();
    const seconds = (user + system) / 1_000_000;
    cpu.inc(seconds - countedSeconds);
    countedSeconds = seconds;
    resident.set(process.memoryUsage.rss());
    heap.set(process.memoryUsage().heapUsed);
  });
}
