import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@holdfast/core';
import { OutboxRefusedError, StoreUnavailableError } from '../../errors.ts';
import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';

/**
 * Producer and worker in one, on a disk that fails: `frail-process.ts FILE RUN GROUPS`. Prints
 * `accepted ID`, `delivered ID` and `refused REASON`, each before it goes on, and ends after so many
 * groups or by SIGKILL. What was refused it tries again, with the same ids.
 */
const [path = '', run = '0', groups = '100'] = process.argv.slice(2);
// Waits of the store pass fifty times as fast: it is the disk that is tried, not our patience.
const clock = { ...systemClock, now: () => systemClock.now() * 50 };
const store = sqliteStore({ path, clock });
const outbox = await openOutbox({ store });

for (let n = 0; n < Number(groups); n += 1) {
  const ids = Array.from({ length: 1 + (n % 4) }, (_, of) => `${run}-${n}-${of}`);
  const body = Buffer.alloc(100 + (n % 5) * 1_500, n);
  await insist(async () => {
    await outbox.accept(ids.map((id) => ({ id, topic: 'events', body })));
  });
  say(ids.map((id) => `accepted ${id}`));
  if (n % 3 !== 0) continue;
  await insist(async () => {
    const leases = await store.lease(3, 60_000);
    if (leases.length === 0) return;
    // As a relay does: handed over first, marked then.
    say(leases.map(({ message: { id } }) => `delivered ${id}`));
    if (n % 9 === 0) await store.bury(leases, 'refused');
    else await store.complete(leases);
  });
}
process.exit(0);

async function insist(work: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const known = error instanceof OutboxRefusedError || error instanceof StoreUnavailableError;
      if (!known || tries > 500) throw error;
      say([`refused ${error.message}`]);
      await sleep(20);
    }
  }
}

/** A pipe to a process that reads it: written when this returns. */
function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
