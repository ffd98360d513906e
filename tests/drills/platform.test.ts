import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { kafkaProblem } from '@holdfast/messaging/testing/kafka';
import type { DrillContext } from '../../examples/sensor-platform/src/drills/drill-context.ts';
import { drillNames, runDrills } from '../../examples/sensor-platform/src/drills/run-drills.ts';
import { removeHome } from '../../examples/sensor-platform/src/postgres/home.ts';
import {
  type Platform,
  startPlatform,
} from '../../examples/sensor-platform/src/run/start-platform.ts';

// Generous: they bound a hang. What is asserted are answers and books, never times.
const START_LIMIT_MS = 240_000;
const DRILL_LIMIT_MS = 180_000;

/** On CI a Kafka that cannot be had is a failure, elsewhere a skip that says why. */
const noKafka = process.env.CI === 'true' ? undefined : await kafkaProblem();

describe('the drills of the platform, on MQTT', () => {
  const platform = aPlatform('mqtt');
  for (const name of drillNames) drillTest(name, platform);

  test('an event that the witness loses is found out: exit status 1, its id named', async (t) => {
    const { context, state } = platform();
    const lostLater = loseOneEvent(join(state, 'event-sink', 'events.db'), context);

    const { exitCode, printed } = await hold(t, 'worker', lostLater.context);

    const said = printed.join('\n');
    assert.equal(exitCode, 1, said);
    assert.ok(said.includes(`lost: ${lostLater.lost()}`), said);
    assert.ok(said.includes('❌ The books do not balance.'), said);
  });
});

describe('the drills of the platform, on Apache Kafka', { skip: noKafka ?? false }, () => {
  const platform = aPlatform('kafka');
  // In `silence` the broker plays no part, and it takes long.
  const names = drillNames.filter((name) => name !== 'silence');
  for (const name of names) drillTest(name, platform);
});

interface Started {
  readonly context: DrillContext;
  readonly state: string;
}

function drillTest(name: string, platform: () => Started): void {
  const title = `${name}: nothing is lost, and it recovers by itself`;
  test(title, { timeout: DRILL_LIMIT_MS }, async (t) => {
    const { exitCode, printed } = await hold(t, name, platform().context);

    assert.equal(exitCode, 0, printed.join('\n'));
    // Figures are for the reader.
    const figures = printed.filter((line) => /recovery|latency|settled|accepted \d+ =/.test(line));
    for (const line of new Set(figures.map((line) => line.trim()))) t.diagnostic(line);
  });
}

/** Starts a platform of its own before the tests of a suite and removes it after them. */
function aPlatform(kind: 'mqtt' | 'kafka'): () => Started {
  let state: string;
  let platform: Platform | undefined;

  before(
    async () => {
      state = await mkdtemp(join(tmpdir(), 'holdfast-drills-'));
      platform = await startPlatform({
        ...{ port: 0, state, broker: { kind } },
        ...{ node: process.execPath, env: process.env },
      });
    },
    { timeout: START_LIMIT_MS },
  );
  after(async () => {
    await platform?.run.stop();
    for (const name of ['sensor-postgres', 'auth-postgres']) await removeHome(join(state, name));
    await rm(state, { recursive: true, force: true });
  });

  return () => {
    if (platform === undefined) throw new Error('unreachable: started before the tests');
    const { run, url, databaseUrl } = platform;
    const directory = join(state, 'drills');
    return { state, context: { baseUrl: url, control: run, databaseUrl, directory } };
  };
}

/** Holds one drill and keeps what it printed. */
async function hold(
  t: TestContext,
  name: string,
  context: DrillContext,
): Promise<{ readonly exitCode: number; readonly printed: readonly string[] }> {
  const printed: string[] = [];
  const exitCode = await runDrills([name], {
    ...context,
    signal: t.signal,
    print: (line) => printed.push(line),
  });
  return { exitCode, printed };
}

/** Lets one event of the drill vanish from event-sink's store, when the drill starts a process again. */
function loseOneEvent(
  store: string,
  context: DrillContext,
): { readonly context: DrillContext; readonly lost: () => string | undefined } {
  const database = new DatabaseSync(store, { timeout: 10_000 });
  const newest = database.prepare('SELECT seq, test_id FROM event ORDER BY seq DESC LIMIT 1');
  const newestRow = () => newest.get() as { seq: number; test_id: string } | undefined;
  const before = newestRow()?.seq ?? 0;
  let lost: string | undefined;

  const start = async (name: string): Promise<void> => {
    await context.control.start(name);
    let row = newestRow();
    while ((row?.seq ?? 0) <= before) {
      await systemClock.sleep(20);
      row = newestRow();
    }
    lost = row?.test_id;
    database.prepare('DELETE FROM event WHERE seq = ?').run(row?.seq ?? 0);
    database.close();
  };
  const control = {
    ps: () => context.control.ps(),
    kill: (name: string) => context.control.kill(name),
    start,
  };
  return { context: { ...context, control, settleLimitMs: 5_000 }, lost: () => lost };
}
