import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from './memory-store.ts';
import { sqliteStore } from './sqlite/index.ts';
import { randomProgram } from './testing/model/random-program.ts';
import { tempDir } from './testing/temp-dir.ts';

const PROGRAMS = Number(process.env.HOLDFAST_PROGRAMS ?? 25);

test(`${PROGRAMS} random programs do the same to the model, in memory and on SQLite`, async (t) => {
  for (let seed = 1; seed <= PROGRAMS; seed += 1) {
    const clock = new VirtualClock();
    const path = join(await tempDir(t), 'outbox.db');
    const memory = memoryStore({ clock });
    await randomProgram({ name: 'memory', store: memory, clock, seed });
    await memory.close();

    let store = sqliteStore({ path, clock });
    const reopen = async () => {
      await store.close();
      store = sqliteStore({ path, clock });
      return store;
    };
    await randomProgram({ name: 'sqlite', store, clock, seed, reopen });
    await store.close();
  }
});
