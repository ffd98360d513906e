import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from './memory-store.ts';
import { sqliteStore } from './sqlite/index.ts';
import { randomProgram } from './testing/random-program.ts';
import { tempDir } from './testing/temp-dir.ts';

const PROGRAMS = Number(process.env.HOLDFAST_PROGRAMS ?? 25);

test(`${PROGRAMS} random programs do the same to the model, in memory and on SQLite`, async (t) => {
  for (let seed = 1; seed <= PROGRAMS; seed += 1) {
    const clock = new VirtualClock();
    const path = join(await tempDir(t), 'outbox.db');
    const stores = [
      { name: 'memory', store: memoryStore({ clock }) },
      { name: 'sqlite', store: sqliteStore({ path, clock }) },
    ];
    for (const { name, store } of stores) {
      await randomProgram({ name, store, clock, seed });
      await store.close();
    }
  }
});
