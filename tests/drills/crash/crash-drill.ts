import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@holdfast/core/testing';
import {
  balances,
  describeBooks,
  type PhaseBooks,
  type PhaseSettings,
} from '../../../packages/messaging/src/testing/crash/phase-books.ts';
import { isPhase, PHASES, type PhaseName } from './phases.ts';

const HELP = `npm run drill -- crash [--kills 500] [--seed 1] [--phase NAME,NAME]
Kills processes of the outbox with SIGKILL at random moments, breaks its disk, and balances the books.
${Object.entries(PHASES)
  .map(([name, { what }]) => `  ${name.padEnd(10)} ${what}`)
  .join('\n')}
Exit status: 0 if all books balance; 1 if something was lost or is wrong; 2 for what it does not understand.
`;

/** `npm run drill -- crash`: every phase in turn, a line for each, and the sum. */
export async function crashDrill(argv: readonly string[]): Promise<number> {
  const asked = readArguments(argv);
  if (typeof asked === 'string') {
    process.stdout.write(asked);
    return asked === HELP ? 0 : 2;
  }
  const { kills, seed, phases } = asked;
  const shares = phases.reduce((sum, name) => sum + PHASES[name].share, 0);
  const startedMs = performance.now();
  process.stdout.write(`## Drill crash: ${kills} kills, seed ${seed}, Node ${process.version}\n`);
  const all: PhaseBooks[] = [];
  let failed = false;
  for (const name of phases) {
    const part = Math.max(2, Math.round((kills * PHASES[name].share) / shares));
    const phaseMs = performance.now();
    const books = await hold(name, part, seed);
    const seconds = `${((performance.now() - phaseMs) / 1_000).toFixed(0)} s`;
    if (typeof books === 'string') {
      const required = process.env.CI === 'true';
      failed ||= required;
      process.stdout.write(`${required ? '❌' : '⏭ '} ${name.padEnd(10)} left out: ${books}\n`);
      continue;
    }
    all.push(books);
    process.stdout.write(`${describeBooks(name, books)} · ${seconds}\n`);
  }
  const sum = (count: (books: PhaseBooks) => number) =>
    all.reduce((total, books) => total + count(books), 0);
  const good = !failed && all.length > 0 && all.every(balances);
  process.stdout.write(
    `${good ? '✅ The books balance.' : '❌ The books do not balance.'} seed ${seed}: kills ${sum((b) => b.kills)} · accepted ${sum((b) => b.accepted)} · delivered ${sum((b) => b.delivered)} · duplicates ${sum((b) => b.duplicates)} · lost ${sum((b) => b.lost.length)} · ${((performance.now() - startedMs) / 60_000).toFixed(1)} min\n`,
  );
  return good ? 0 : 1;
}

/** A phase in a directory of its own; a text where it cannot be held here. */
async function hold(name: PhaseName, kills: number, seed: number): Promise<PhaseBooks | string> {
  const directory = await mkdtemp(join(tmpdir(), `holdfast-crash-${name}-`));
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const phase = join(directory, 'phase');
    await mkdir(phase);
    const settings: PhaseSettings = {
      kills,
      random: seededRandom(seed),
      directory: phase,
      defer: (work) => void ends.unshift(work),
    };
    return await PHASES[name].hold(settings, directory);
  } catch (error) {
    const wrong = [(error as Error).message];
    const none = { accepted: 0, delivered: 0, duplicates: 0, queued: 0, dead: 0, lost: [] };
    return { kills: 0, ...none, wrong };
  } finally {
    for (const end of ends) await end();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

function readArguments(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        kills: { type: 'string', default: '500' },
        seed: { type: 'string', default: '1' },
        phase: { type: 'string', default: Object.keys(PHASES).join(',') },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return HELP;
    const [kills, seed] = [values.kills, values.seed].map(Number) as [number, number];
    if (!Number.isInteger(kills) || kills < 1 || kills > 100_000) {
      return `--kills must be a whole number from 1 to 100000, not ${values.kills}.\n`;
    }
    if (!Number.isSafeInteger(seed) || seed < 0) {
      return `--seed must be a whole number from 0, not ${values.seed}.\n`;
    }
    const names = values.phase.split(',');
    const unknown = names.find((name) => !isPhase(name));
    if (unknown !== undefined) return `There is no phase called "${unknown}".\n${HELP}`;
    return { kills, seed, phases: names.filter(isPhase) };
  } catch (error) {
    return `${(error as Error).message}\n${HELP}`;
  }
}
