import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { pubsubContract } from '../../testing/pubsub-contract.ts';
import { sqlitePubSub } from './sqlite-pubsub.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlite-pubsub-'));
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const open = (metadata: Readonly<Record<string, string>>) =>
  sqlitePubSub(new ComponentSettings('p', Object.entries(metadata)), {
    appId: 'one',
    clock: systemClock,
    log: createLogger({ write: () => {} }),
  });
const path = join(folder, 'p.db');
let lock: DatabaseSync | undefined;

pubsubContract('pubsub.sqlite', async () => ({
  open: (group) =>
    open({ connectionString: path, consumerID: group, concurrency: '1', timeout: '1s' }),
  // There is no server to kill; what takes a file away is somebody who holds its lock.
  outage: {
    async begin() {
      lock = new DatabaseSync(path, { timeout: 5_000 });
      lock.exec('BEGIN IMMEDIATE');
    },
    async end() {
      lock?.exec('ROLLBACK');
      lock?.close();
    },
  },
}));

describe('pubsub.sqlite', () => {
  test('a full file refuses a publication, and says who has not taken what', async (t) => {
    const broker = await open({ connectionString: join(folder, 'full.db'), maxMessages: '1' });
    t.after(() => broker.close());
    const held = Promise.withResolvers<void>();
    await broker.subscribe('events', () => held.promise);
    const message = { data: Buffer.from('x'), metadata: {}, id: 'a' };
    await broker.publish('events', message);
    await assert.rejects(broker.publish('events', { ...message, id: 'b' }), {
      message:
        'The broker did not take 1 message(s), first b: the file holds 1 messages, which is all it may (maxMessages): the group "one" has not acknowledged 1 of "events".',
    });
    held.resolve();
  });

  test('an event whose ttlInSeconds are over when its group comes back is nobody’s, raw or not', async (t) => {
    const broker = await open({ connectionString: join(folder, 'late.db'), concurrency: '1' });
    t.after(() => broker.close());
    const leaving = await broker.subscribe('events', async () => {});
    await leaving.close();
    const publish = (text: string, metadata: Readonly<Record<string, string>>) =>
      broker.publish('events', { data: Buffer.from(text), metadata });
    await publish('late', { ttlInSeconds: '0.001', rawPayload: 'true' });
    await publish('in time', { ttlInSeconds: '3600' });
    await systemClock.sleep(5);
    const first = await new Promise<string>((resolve) => {
      void broker.subscribe('events', async ({ data }) => resolve(String(data)));
    });
    assert.equal(first, 'in time');
  });

  test('says what of its metadata cannot be, and what may stand there', async () => {
    const refused = async (metadata: Readonly<Record<string, string>>) =>
      await open(metadata).then(
        () => 'opened',
        (error: Error) => error.message.replaceAll(folder, ''),
      );
    const file = { connectionString: path };
    assert.deepEqual(
      [
        await refused({}),
        await refused({ connectionString: ':memory:' }),
        await refused({ ...file, concurrency: '0' }),
        await refused({ ...file, maxMessages: 'many' }),
        await refused({ ...file, leaseDuration: '5ms' }),
        await refused({ ...file, leaseDuration: 'soon' }),
        await refused({ ...file, forgetGroupsAfter: '3s' }),
        await refused({ ...file, timeout: '20ms' }),
        await refused({ connectionString: join(folder, 'nowhere', 'p.db'), timeout: '100ms' }),
      ],
      [
        'metadata connectionString must be given: the path of a file that all sidecars of the machine can write',
        'metadata connectionString must be the path of a file, which other sidecars can open too, not ":memory:"',
        'component p: metadata concurrency must be from 1 to 1000, not 0',
        'component p: metadata maxMessages must be a whole number, not "many"',
        'component p: metadata leaseDuration must be from 1000 to 600000 ms, not 5',
        'component p: metadata leaseDuration "soon" has a unit without a number; write 500ms, 15s or a number of milliseconds',
        'metadata forgetGroupsAfter must be at least 1m, or 0 for never, not 3000 ms',
        'component p: metadata timeout must be from 100 to 600000 ms, not 20',
        'The broker in /nowhere/p.db cannot be used: /nowhere/p.db cannot be opened. Check that its directory exists and that this user may write there.',
      ],
    );
  });
});
