import { sqliteStore } from '../../sqlite/index.ts';

/** Opens files of an older version, one after another: `upgrade-process.ts FILE…`. Prints each before it does. */
for (const path of process.argv.slice(2)) {
  process.stdout.write(`${path}\n`);
  const store = sqliteStore({ path });
  await store.open();
  await store.close();
}
