/**
 * `npm run soak [-- core] [--calls 10000000]`: runs for minutes what must not
 * grow, and prints what it weighs. `npm test` has a short run of the same.
 */
import { parseArgs } from 'node:util';
import { soakCore } from './core/soak-core.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { calls: { type: 'string', default: '10000000' } },
});
const parts: Readonly<Record<string, (calls: number) => Promise<boolean>>> = { core: soakCore };

const calls = Number(values.calls);
if (!Number.isInteger(calls) || calls < 10_000) {
  console.error(`--calls must be a whole number of at least 10000, not "${values.calls}".`);
  process.exit(1);
}
const asked = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = asked.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`No soak "${unknown}". There are: ${Object.keys(parts).join(', ')}.`);
  process.exit(1);
}
let isFlat = true;
for (const name of asked) {
  console.log(`\n━━ soak: ${name}`);
  isFlat = (await parts[name]!(calls)) && isFlat;
}
process.exit(isFlat ? 0 : 1);
