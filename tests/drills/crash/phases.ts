import { join } from 'node:path';
import { type PostgresServer, postgresServer, Unavailable } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { Pool } from 'pg';
import { mqttBroker } from '../../../packages/messaging/src/mqtt/index.ts';
import { brokerPhase } from '../../../packages/messaging/src/testing/crash/broker-phase.ts';
import type {
  PhaseBooks,
  PhaseSettings,
} from '../../../packages/messaging/src/testing/crash/phase-books.ts';
import { postgresPhase } from '../../../packages/messaging/src/testing/crash/postgres-phase.ts';
import { postgresUpgradePhase } from '../../../packages/messaging/src/testing/crash/postgres-upgrade-phase.ts';
import { powerPhase } from '../../../packages/messaging/src/testing/crash/power-phase.ts';
import { replayPhase } from '../../../packages/messaging/src/testing/crash/replay-phase.ts';
import { upgradePhase } from '../../../packages/messaging/src/testing/crash/upgrade-phase.ts';
import { compileFrailDisk } from '../../../packages/messaging/src/testing/disk/frail-disk.ts';
import { mqttProcess } from '../../../packages/messaging/src/testing/servers/mqtt-process.ts';

interface Phase {
  readonly what: string;
  /** Of all kills, beside the shares of the others. */
  readonly share: number;
  /** A text where it cannot be held here. `beside`: a directory for what is not the phase's own. */
  hold(settings: PhaseSettings, beside: string): Promise<PhaseBooks | string>;
}

export type PhaseName =
  | 'relay'
  | 'postgres'
  | 'replay'
  | 'upgrade'
  | 'pg-upgrade'
  | 'power'
  | 'faults';

export const PHASES: Readonly<Record<PhaseName, Phase>> = {
  relay: {
    what: 'producer, relay and MQTT broker, also between send and acknowledge',
    share: 18,
    async hold(settings, beside) {
      const server = await mqttProcess(join(beside, 'broker'));
      settings.defer(() => server.kill());
      const consumer = mqttBroker({ mqtt, url: server.url, clientId: 'sink', reconnectMs: 50 });
      const breakBroker = async () => {
        await server.kill();
        await server.start();
      };
      return brokerPhase({ ...settings, url: server.url, consumer, breakBroker });
    },
  },
  postgres: {
    what: 'two producers and two workers on PostgreSQL, and the server with every fourth kill',
    share: 8,
    hold(settings) {
      return onPostgres(settings, (server, pool) =>
        postgresPhase({ ...settings, server, pool, schema: 'crash', serverEvery: 4 }),
      );
    },
  },
  replay: {
    what: 'whoever replays dead letters, in the middle of it',
    share: 10,
    hold: replayPhase,
  },
  upgrade: {
    what: 'whoever brings files of an older version up to date',
    share: 4,
    hold: upgradePhase,
  },
  'pg-upgrade': {
    what: "three processes that bring PostgreSQL's schemas up to date at once, and the server",
    share: 4,
    hold: (settings) =>
      onPostgres(settings, (server, pool) => postgresUpgradePhase({ ...settings, server, pool })),
  },
  power: {
    what: 'power cuts before, in the middle of and after a write or a flush: torn pages',
    share: 34,
    hold: (settings, beside) => onFrailDisk(settings, beside, false),
  },
  faults: {
    what: 'the same after flushes and writes that failed: EIO, full, read-only',
    share: 26,
    hold: (settings, beside) => onFrailDisk(settings, beside, true),
  },
};

export function isPhase(name: string): name is PhaseName {
  return name in PHASES;
}

async function onPostgres(
  { defer }: PhaseSettings,
  hold: (server: PostgresServer, pool: Pool) => Promise<PhaseBooks>,
): Promise<PhaseBooks | string> {
  const server = await postgresServer();
  if (server instanceof Unavailable) return server.why;
  defer(() => server.process.remove());
  const pool = new Pool({ connectionString: server.url, max: 10 });
  pool.on('error', () => {});
  defer(() => pool.end());
  return hold(server, pool);
}

async function onFrailDisk(settings: PhaseSettings, beside: string, faults: boolean) {
  const disk = await compileFrailDisk(beside);
  return typeof disk === 'string' ? disk : powerPhase({ ...settings, disk, faults });
}
