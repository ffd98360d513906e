import { OutboxRefusedError } from '../errors.ts';
import { openOutbox } from '../outbox.ts';
import { sqliteStore } from './sqlite-store.ts';

/**
 * Accepts messages until the operating system refuses to let the file grow (`ulimit -f`), then
 * prints what it was told as JSON: `{ accepted, code, message }`.
 */
const [path = ''] = process.argv.slice(2);
const outbox = await openOutbox({ store: sqliteStore({ path }) });
let accepted = 0;
for (;;) {
  try {
    await outbox.accept([{ topic: 'events', id: `m${accepted}`, body: Buffer.alloc(2_000) }]);
    accepted += 1;
  } catch (error) {
    if (!(error instanceof OutboxRefusedError)) throw error;
    console.log(JSON.stringify({ accepted, code: error.code, message: error.message }));
    break;
  }
}
process.exit(0);
