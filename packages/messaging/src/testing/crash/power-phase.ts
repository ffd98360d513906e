import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sqliteStore } from '../../sqlite/index.ts';
import type { FrailDisk, Frailty } from '../disk/frail-disk.ts';
import { playPowerCut } from '../disk/power-cut.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';

const PROGRAM = fileURLToPath(new URL('./frail-process.ts', import.meta.url));
/** Rounds that go on with one file, before a new one is begun. */
const CHAIN = 10;

export interface PowerSettings extends PhaseSettings {
  readonly disk: FrailDisk;
  /** Flushes and writes fail as well, before the cut. */
  readonly faults?: boolean;
}

/**
 * A process that accepts and delivers is killed at a write or a flush, in front of it, in the middle or
 * behind it, and the power goes: only what was flushed is certain to be there. Then it goes on with
 * what the disk has.
 */
export async function powerPhase(settings: PowerSettings): Promise<PhaseBooks> {
  const { kills, random, disk, faults = false } = settings;
  const directory = await realpath(settings.directory);
  const books = new Map<string, 'accepted' | 'delivered'>();
  let [killed, refused, duplicates] = [0, 0, 0];
  const [lost, wrong]: [string[], string[]] = [[], []];
  const totals = { accepted: 0, delivered: 0, queued: 0, dead: 0 };
  let last = { queued: 0, dead: 0 };
  /** A file's books are closed before the next is begun. */
  const close = () => {
    totals.delivered += [...books.values()].filter((state) => state === 'delivered').length;
    totals.queued += last.queued;
    totals.dead += last.dead;
    books.clear();
  };

  for (let round = 0; killed < kills && round < kills * 2; round += 1) {
    const at = join(directory, String(round));
    const [live, before] = [join(at, 'live'), join(at, 'before')];
    await mkdir(live, { recursive: true });
    const first = round % CHAIN === 0;
    if (first) close();
    else await cp(join(directory, String(round - 1), 'after'), live, { recursive: true });
    await cp(live, before, { recursive: true });
    await mkdir(join(at, 'after'));
    const frailty: Frailty = {
      directory: live,
      journal: join(at, 'journal'),
      kill: {
        at: 1 + Math.floor(random.next() * (faults ? 900 : 500)),
        how: (['before', 'half', 'after'] as const)[Math.floor(random.next() * 3)] ?? 'half',
      },
      ...(faults && { fault: randomFault(random) }),
    };
    const child = spawn(
      process.execPath,
      ['--conditions=source', PROGRAM, join(live, 'outbox.db'), String(round), '80'],
      { stdio: ['ignore', 'pipe', 'pipe'], env: disk.env(frailty) },
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [what = '', id = ''] = line.split(' ');
      if (what === 'refused') refused += 1;
      if (what === 'accepted') totals.accepted += 1;
      if (what === 'accepted' && !books.has(id)) books.set(id, 'accepted');
      if (what !== 'delivered') return;
      if (books.get(id) === 'delivered') duplicates += 1;
      books.set(id, 'delivered');
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const [status, signal] = await once(child, 'close');
    if (signal === 'SIGKILL') killed += 1;
    else if (status !== 0)
      wrong.push(`round ${round}: ended with ${status}: ${said.match(/^\w*Error.*$/m)?.[0]}`);
    await playPowerCut({
      before,
      after: join(at, 'after'),
      journal: frailty.journal,
      random,
    });

    const where = `round ${round}, ${JSON.stringify(frailty.kill)} ${JSON.stringify(frailty.fault ?? '')}`;
    const left = await lookInto(join(at, 'after', 'outbox.db'), [...books]);
    wrong.push(...left.wrong.map((what) => `${where}: ${what}`));
    lost.push(...left.lost.map((id) => `${id} (${where})`));
    if (left.lost.length > 0 || left.wrong.length > 0) break;
    last = left;
  }
  close();
  const note = faults ? `${refused} times refused` : 'torn sector by sector';
  return { kills: killed, ...totals, duplicates, lost, wrong, note };
}

function randomFault(random: { next(): number }): NonNullable<Frailty['fault']> {
  const kinds = [
    { kind: 'sync', errno: 'EIO' },
    { kind: 'write', errno: 'EIO' },
    { kind: 'write', errno: 'ENOSPC' },
    { kind: 'write', errno: 'EROFS' },
  ] as const;
  const kind = kinds[Math.floor(random.next() * kinds.length)] ?? kinds[0];
  const from = 1 + Math.floor(random.next() * (kind.kind === 'sync' ? 25 : 300));
  return { ...kind, from, count: 1 + Math.floor(random.next() * 6) };
}

/** What a file has of what is in the books, as the next process finds it. */
async function lookInto(path: string, books: readonly (readonly [string, string])[]) {
  const store = sqliteStore({ path });
  const [lost, wrong]: [string[], string[]] = [[], []];
  try {
    for (const [id, state] of books) {
      if (state === 'accepted' && (await store.find(id)) === undefined) lost.push(id);
    }
    const stats = await store.stats();
    const [waiting, buried] = [await idsOf(store, 'queued'), await idsOf(store, 'dead')];
    if (waiting !== stats.queued || buried !== stats.dead) {
      wrong.push(`counted ${stats.queued} and ${stats.dead}, found ${waiting} and ${buried}`);
    }
    return { lost, wrong, queued: stats.queued, dead: stats.dead };
  } catch (error) {
    return { lost, wrong: [(error as Error).message], queued: 0, dead: 0 };
  } finally {
    await store.close();
  }
}

async function idsOf(store: ReturnType<typeof sqliteStore>, state: 'queued' | 'dead') {
  let count = 0;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = { limit: 500, after };
    if (state === 'queued') {
      const { messages, next } = await store.listQueued(page);
      count += messages.length;
      after = next;
    } else {
      const { letters, next } = await store.listDead(page);
      count += letters.length;
      after = next;
    }
  }
  return count;
}
