/**
 * `npm run soak [-- core sidecar] [--calls 10000000] [--minutes 30]`: runs for minutes what must
 * not grow, and prints what it weighs. `npm test` has a short run of the same.
 */
import { commandLine, wholeNumber } from '../../scripts/command-line.ts';
import { soakCore } from './core/soak-core.ts';
import { printSidecarSoak } from './sidecar/print-sidecar-soak.ts';

const { positionals, values } = commandLine({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '10000000' },
    minutes: { type: 'string', default: '30' },
  },
});
const calls = wholeNumber('calls', values.calls, 10_000, 1_000_000_000);
const minutes = wholeNumber('minutes', values.minutes, 1, 10_000);
const parts: Readonly<Record<string, () => Promise<boolean>>> = {
  core: () => soakCore(calls),
  sidecar: () => printSidecarSoak(minutes),
};

const asked = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = asked.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`No soak "${unknown}". There are: ${Object.keys(parts).join(', ')}.`);
  process.exit(1);
}
let isFlat = true;
for (const name of asked) {
  console.log(`\n━━ soak: ${name}`);
  isFlat = (await parts[name]!()) && isFlat;
}
process.exit(isFlat ? 0 : 1);
