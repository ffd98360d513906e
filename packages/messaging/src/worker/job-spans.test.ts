import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from '../memory-store.ts';
import { eventually } from '../testing/eventually.ts';
import { openTelemetry } from '../trace/testing/open-telemetry.ts';
import { openJobs } from './jobs.ts';

test('a job runs in the trace of who enqueued it, one span a run, alone or with others', async (t) => {
  const { tracer, spans } = openTelemetry();
  const jobs = await openJobs({ store: memoryStore(), tracer });
  t.after(() => jobs.close());
  await jobs.enqueue([
    { id: 'one', topic: 'resize', body: '' },
    { id: 'two', topic: 'mail', body: '' },
  ]);
  let fails = true;
  jobs.work(
    {
      resize() {
        if (!fails) return;
        fails = false;
        throw new Error('no memory');
      },
      mail: { batch: 10, handle() {} },
    },
    { delayMs: 1 },
  );
  await eventually(spans, (all) => all.length >= 5, 'two accepted, and three runs');

  const named = (name: string) => spans().filter((each) => each.name === name);
  const [accepted] = named('accept resize');
  assert.deepEqual(
    named('process resize').map(({ parent, traceId }) => [parent, traceId]),
    Array(2).fill([accepted!.spanId, accepted!.traceId]),
  );
  const [mail] = named('process mail');
  assert.deepEqual([mail!.parent, mail!.links], [undefined, [named('accept mail')[0]!.spanId]]);
});
