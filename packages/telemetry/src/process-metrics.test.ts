import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMetrics } from './metrics/metrics.ts';
import { processMetrics } from './process-metrics.ts';

describe('what a process tells of itself', () => {
  const metrics = createMetrics();
  processMetrics(metrics);
  const value = (name: string): number => {
    const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics.render())?.[1];
    assert.ok(found !== undefined, `${name} is on the page`);
    return Number(found);
  };

  test('the time its event loop was busy grows by its work and not by its waits', async () => {
    const name = 'nodejs_eventloop_active_seconds_total';
    const cpu = () => process.cpuUsage().user / 1e6;
    await sleep(1);
    const before = value(name);
    await sleep(200);
    const waited = value(name);
    const begun = cpu();
    while (cpu() - begun < 0.2);
    // The loop adds up when it looks for something to do.
    await sleep(1);
    const worked = value(name);
    assert.ok(worked - waited >= 0.2, `${worked - waited} s of work`);
    assert.ok(waited - before < worked - waited, `${waited - before} s of waiting`);
  });

  test('the processor’s seconds never fall, and memory is in bytes', () => {
    const [first, second] = [
      value('process_cpu_seconds_total'),
      value('process_cpu_seconds_total'),
    ];
    assert.ok(first > 0 && second >= first);
    assert.ok(value('process_resident_memory_bytes') > 2 ** 20);
    assert.ok(value('nodejs_heap_size_used_bytes') > 2 ** 20);
    const now = Date.now() / 1_000;
    const started = value('process_start_time_seconds');
    assert.ok(started < now && started > now - 3_600);
  });

  test('a process that has no descriptor to spare still has a page, with what was known', (t) => {
    const name = 'process_resident_memory_bytes';
    const before = value(name);
    t.mock.method(process, 'memoryUsage', () => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    });
    assert.equal(value(name), before);
  });

  test('on Linux, files that are open, how many may be, and its address space', {
    skip: process.platform !== 'linux' && 'only Linux says it in /proc',
  }, async () => {
    // What the first file of all opens beside itself stays open.
    await (await open(import.meta.filename)).close();
    const before = value('process_open_fds');
    const files = await Promise.all(Array.from({ length: 10 }, () => open(import.meta.filename)));
    assert.equal(value('process_open_fds'), before + 10);
    await Promise.all(files.map((file) => file.close()));
    assert.equal(value('process_open_fds'), before);
    assert.ok(value('process_max_fds') > before);
    assert.ok(value('process_virtual_memory_bytes') > value('process_resident_memory_bytes'));
  });
});
