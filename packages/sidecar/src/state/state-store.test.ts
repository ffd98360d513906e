import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@holdfast/core/testing';
import { ComponentSettings } from '../components/component-settings.ts';
import { stateContract } from '../testing/state-contract.ts';
import { memoryState } from './memory-state.ts';
import { sqliteState } from './sqlite-state.ts';

stateContract('state.in-memory', async () => {
  const clock = new VirtualClock();
  return { store: memoryState(clock), elapse: (seconds) => clock.advance(seconds * 1_000) };
});

stateContract('state.sqlite', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'state.db');
  const open = () => sqliteState(new ComponentSettings('s', [['connectionString', file]]));
  return {
    store: open(),
    // SQLite's clock is its own: it goes by in whole seconds.
    elapse: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)),
    another: async () => open(),
  };
});
