import { setTimeout as sleep } from 'node:timers/promises';
import { sqliteBroker } from '../sqlite-broker.ts';

/** A member to be killed: `member-process.ts FILE TOPIC [MS]`, where MS is what it takes for each. Prints `ready`, then the id of each message it handles. */
const [path = '', topic = '', ms = '0'] = process.argv.slice(2);
const broker = sqliteBroker({ path, leaseMs: 1_000 });
await broker.subscribe(topic, { group: 'members' }, async ({ id }) => {
  if (ms !== '0') await sleep(Number(ms));
  process.stdout.write(`${id}\n`);
});
process.stdout.write('ready\n');
process.once('SIGTERM', () => void broker.close());
