import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after } from 'node:test';
import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlite-broker-'));
const path = join(folder, 'bad-days.db');
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

brokerBadDays(
  'sqliteBroker',
  async () => ({
    url: `sqlite:${path}`,
    tooLarge: {
      bytes: 1_100_000,
      says: /^it has 1100\d+ bytes, of at most 1048576 \(sqliteBroker\.maxMessageBytes\)/,
    },
    async foreign(topic) {
      const rows = [
        ['', '', 'an empty id, no headers'],
        ['torn', '{"a":', 'headers cut in half'],
        ['list', '[1,2]', 'headers that are a list'],
        ['newer', '{"holdfast-version":99,"b":{"c":[]}}', 'newer'],
        ['trace', '{"traceparent":"00-zz-1-01"}', 'a broken trace'],
      ] as const;
      const file = new DatabaseSync(path, { timeout: 5_000 });
      for (const [id, headers, body] of rows) {
        const { lastInsertRowid } = file
          .prepare('INSERT INTO message (id, topic, headers, body, waiting) VALUES (?, ?, ?, ?, 1)')
          .run(id, topic, headers, Buffer.from(body));
        file
          .prepare(
            'INSERT INTO delivery (group_id, seq) SELECT id, ? FROM member_group WHERE topic = ?',
          )
          .run(lastInsertRowid, topic);
      }
      file.close();
      return rows.map(([, , body]) => Buffer.from(body));
    },
    async wipe(topic) {
      const file = new DatabaseSync(path, { timeout: 5_000 });
      file
        .prepare(
          'DELETE FROM delivery WHERE group_id IN (SELECT id FROM member_group WHERE topic = ?)',
        )
        .run(topic);
      file.prepare('DELETE FROM member_group WHERE topic = ?').run(topic);
      file.prepare('DELETE FROM message WHERE topic = ?').run(topic);
      file.close();
    },
    folder,
    stop: async () => {},
    start: async () => {},
  }),
  { holdMs: 2_000, oneClock: 'one file belongs to one machine, which has one clock' },
);

poisonMessages('sqliteBroker', async () => ({ url: `sqlite:${path}` }));
