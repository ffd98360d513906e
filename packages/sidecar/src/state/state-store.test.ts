import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../components/component-settings.ts';
import { stateContract } from '../testing/state-contract.ts';
import { memoryState } from './memory-state.ts';
import { sqliteState } from './sqlite-state.ts';

stateContract('state.in-memory', async () => {
  const clock = new VirtualClock();
  return { store: memoryState(clock), elapse: (seconds) => clock.advance(seconds * 1_000) };
});

stateContract('state.sqlite', async (t) => {
  const file = await newFile(t);
  const open = () => sqliteState(settings(file), { clock: systemClock, log });
  return {
    store: await open(),
    // SQLite's clock is its own: it goes by in whole seconds.
    elapse: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)),
    another: open,
  };
});

test('state.sqlite waits for a new file that somebody else is making', async (t) => {
  const file = await newFile(t);
  const other = new DatabaseSync(file);
  t.after(() => other.close());
  other.exec('CREATE TABLE theirs (a); BEGIN EXCLUSIVE');
  const clock = new VirtualClock();
  clock.timer(30, () => other.exec('COMMIT'));

  const store = await clock.run(() => sqliteState(settings(file), { clock, log }));
  t.after(() => store.close());

  assert.equal(await store.get('nothing'), undefined);
});

const log = createLogger({ write: () => {} });
const settings = (file: string) => new ComponentSettings('s', [['connectionString', file]]);

async function newFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'state.db');
}
