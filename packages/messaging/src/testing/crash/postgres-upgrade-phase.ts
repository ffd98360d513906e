import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '@holdfast/test-servers';
import type { Pool } from 'pg';
import { allSteps } from '../../postgres/tables.ts';
import { eventually } from '../eventually.ts';
import { oldPostgresSchema, readOldPostgresSchema } from './old-postgres-schema.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';
import { type PostgresShapes, postgresShapes, wholeVersion } from './postgres-shape.ts';
import { restartPostgres } from './restart-postgres.ts';
import { Victim } from './victim.ts';

export interface PostgresUpgradeSettings extends Omit<PhaseSettings, 'directory'> {
  readonly server: PostgresServer;
  readonly pool: Pool;
}

/** Each round brings these up to date; version 0 has no tables yet. */
const VERSIONS = [1, 0, 2];
const TOGETHER = 3;
const SIDES = ['accepted', 'queued', 'delivered', 'dead'] as const;
/** Who is killed, in turn: all of them, the server, or some while the others go on. */
const ROUNDS = ['all', 'server', 'some'] as const;

/** A command that changes a schema takes up to 8 ms more, so that kills come between any two of them. */
const SLOW_DOWN = `
  CREATE FUNCTION public.nap() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF current_setting('application_name') LIKE 'upgrade%' THEN
        PERFORM pg_sleep(random() * 0.008);
      END IF;
    END $$;
  CREATE EVENT TRIGGER nap ON ddl_command_end EXECUTE FUNCTION public.nap();`;

/**
 * Three processes at once bring the same schemas of older versions up to date, and are killed. Each schema is
 * then what its version says, and whoever comes next finishes: with all that was there.
 */
export async function postgresUpgradePhase(settings: PostgresUpgradeSettings): Promise<PhaseBooks> {
  const { kills, pool } = settings;
  const shapes = await postgresShapes(pool);
  await pool.query(SLOW_DOWN);
  const books = { accepted: 0, queued: 0, delivered: 0, dead: 0 };
  const [lost, wrong]: [string[], string[]] = [[], []];
  let caught = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const olds = VERSIONS.map((version, n) => ({ schema: `up_${kill}_${n}`, version }));
    const client = await pool.connect();
    for (const { schema, version } of olds) await oldPostgresSchema(client, schema, version);
    client.release();

    const round = ROUNDS[kill % ROUNDS.length] ?? 'all';
    const killed = await killUpgrades(settings, shapes, olds, round);
    caught += killed.caught ? 1 : 0;
    wrong.push(...killed.wrong);

    for (const { schema, version } of olds) {
      const whole = await wholeVersion(pool, shapes, schema);
      if (whole !== allSteps('').length) wrong.push(`after all, ${schema}: ${whole}`);
      const found = await readOldPostgresSchema(pool, schema, version);
      lost.push(...found.lost.map((id) => `${schema} ${id}`));
      wrong.push(...found.wrong);
      for (const side of SIDES) books[side] += found[side];
      await pool.query(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${schema}_inbox CASCADE`);
    }
  }
  await pool.query('DROP EVENT TRIGGER nap; DROP FUNCTION public.nap()');
  const note = `${caught} kills came in the middle of a transaction; ${VERSIONS.length} schemas, ${TOGETHER} processes`;
  return { kills, ...books, duplicates: 0, lost, wrong, note };
}

/** Returns when all is up to date: whether a transaction was cut, and what else came to light. */
async function killUpgrades(
  { random, defer, server, pool }: PostgresUpgradeSettings,
  shapes: PostgresShapes,
  olds: readonly { readonly schema: string; readonly version: number }[],
  round: (typeof ROUNDS)[number],
) {
  const refused: string[] = [];
  const names = Array.from({ length: TOGETHER }, (_, n) => `upgrade${n}`);
  const upgrades = names.map((name) => {
    const args = [`${server.url}?application_name=${name}`, ...olds.map(({ schema }) => schema)];
    const hear = (line: string) => void (line.startsWith('refused') && refused.push(line));
    return new Victim('./postgres-upgrade-process.ts', () => args, hear);
  });
  defer(() => Promise.all(upgrades.map((upgrade) => upgrade.end('SIGKILL'))));
  await Promise.all(upgrades.map((upgrade) => upgrade.start()));
  await sleep(random.next() * 400);

  const wrong: string[] = [];
  let caught = false;
  if (round === 'server') {
    caught = await anyHalfWay(pool, names);
    await server.process.kill();
    await restartPostgres(server);
  } else {
    const victims = round === 'all' ? TOGETHER : 1 + Math.floor(random.next() * (TOGETHER - 1));
    for (const upgrade of upgrades.slice(0, victims)) upgrade.signal('SIGKILL');
    caught = await anyHalfWay(pool, names.slice(0, victims));
  }
  if (round === 'all') {
    await allGone(pool);
    for (const { schema, version } of olds) {
      const whole = await wholeVersion(pool, shapes, schema);
      if (whole !== version && whole !== allSteps('').length)
        wrong.push(`half-way, ${schema}: ${whole}`);
    }
    await Promise.all(upgrades.map((upgrade) => upgrade.start()));
  }
  await Promise.all(upgrades.map((upgrade) => upgrade.ended()));
  await allGone(pool);
  return { caught, wrong: round === 'server' ? wrong : [...wrong, ...refused] };
}

/** Whether one of them has written something that it has not committed. */
async function anyHalfWay(pool: Pool, names: readonly string[]): Promise<boolean> {
  const { rows } = await pool.query(
    'SELECT FROM pg_stat_activity WHERE application_name = ANY ($1) AND backend_xid IS NOT NULL',
    [names],
  );
  return rows.length > 0;
}

/** The server notices a killed client when it next has something to say to it. */
async function allGone(pool: Pool): Promise<void> {
  const left = () =>
    pool.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'upgrade%'");
  await eventually(left, ({ rows }) => rows.length === 0, 'the upgrades have left the server');
}
