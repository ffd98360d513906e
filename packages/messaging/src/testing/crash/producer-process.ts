import { setImmediate as nextTurn } from 'node:timers/promises';
import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';

/**
 * A producer to be killed: `producer-process.ts FILE RUN`. Accepts messages as fast as it can and
 * writes each id to stdout after it was accepted, which makes stdout the client's ledger. SIGTERM
 * ends it cleanly. Every fiftieth message is one that no broker takes.
 */
const [path = '', run = '0'] = process.argv.slice(2);
const outbox = await openOutbox({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});

for (let n = 0; !stopping; ) {
  const group = Array.from({ length: 1 + (n % 7) }, () => {
    n += 1;
    const id = `${run.padStart(3, '0')}-${String(n).padStart(6, '0')}`;
    return n % 50 === 0
      ? { id, topic: 'not + a # topic', key: 'dead', body: id }
      : { id, topic: 'crash', key: `key-${n % 5}`, body: id };
  });
  await outbox.accept(group);
  process.stdout.write(`${group.map(({ id }) => id).join('\n')}\n`);
  // No faster than the relay, or there would be nothing but backlog to test.
  if ((await outbox.stats()).queued > 500) await new Promise((resolve) => setTimeout(resolve, 20));
  await nextTurn();
}
await outbox.close();
