import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';

/** Replays all dead letters of a file, and edits and discards none: `replay-process.ts FILE`. To be killed at it. */
const [path = ''] = process.argv.slice(2);
const outbox = await openOutbox({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
process.stdout.write('ready\n');
await outbox.dead.replayAll({}, { perSecond: 500 });
await outbox.close();
