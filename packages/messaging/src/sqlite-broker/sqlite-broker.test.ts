import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after } from 'node:test';
import { brokerContract } from '../testing/contracts/broker-contract.ts';
import { sqliteBroker } from './sqlite-broker.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlite-broker-'));
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
const path = join(folder, 'contract.db');
let lock: DatabaseSync | undefined;

brokerContract('sqliteBroker', async () => ({
  connect: () => sqliteBroker({ path, timeoutMs: 1_000 }),
  tooLargeBytes: 1_100_000,
  // There is no server to kill; what takes a file away is somebody who holds its lock.
  async kill() {
    lock = new DatabaseSync(path, { timeout: 5_000 });
    lock.exec('BEGIN IMMEDIATE');
  },
  async start() {
    lock?.exec('ROLLBACK');
    lock?.close();
  },
}));
