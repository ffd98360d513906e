/**
 * A drill that only writes to its ledger and says what was acknowledged, until
 * it is killed: `node appender.ts FILE`. Run by ledger.test.ts.
 */
import { writeSync } from 'node:fs';
import { openLedger } from '../books/ledger.ts';

const ledger = await openLedger({ path: process.argv[2] ?? '' });
for (let n = 0; ; n += 1) {
  const id = `entry-${n}`;
  await ledger.append({ kind: 'accepted', attempt: id, drill: 'appender', id });
  writeSync(1, `${id}\n`);
}
