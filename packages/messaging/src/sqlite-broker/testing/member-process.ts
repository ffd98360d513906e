import { sqliteBroker } from '../sqlite-broker.ts';

/** A member to be killed: `member-process.ts FILE TOPIC`. Prints `ready`, then the id of each message it handles. */
const [path = '', topic = ''] = process.argv.slice(2);
const broker = sqliteBroker({ path, leaseMs: 1_000 });
await broker.subscribe(topic, { group: 'members' }, async ({ id }) => {
  process.stdout.write(`${id}\n`);
});
process.stdout.write('ready\n');
process.once('SIGTERM', () => void broker.close());
