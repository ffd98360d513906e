import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

await postgresSuite('postgresBroker on a bad day', ({ pool, server }) => {
  brokerBadDays(
    'postgresBroker',
    async () => ({
      url: `${server.url}?schema=bad_days`,
      tooLarge: {
        bytes: 1_100_000,
        says: /^it has 1100000 bytes, of at most 1048576 \(postgresBroker\.maxBodyBytes\)/,
      },
      async foreign(topic) {
        const rows = [
          ['', '', 'an empty id, no headers'],
          ['torn', '{"a":', 'headers cut in half'],
          ['list', '[1,2]', 'headers that are a list'],
          ['newer', '{"holdfast-version":99,"b":{"c":[]}}', 'newer'],
          ['trace', '{"traceparent":"00-zz-1-01"}', 'a broken trace'],
        ] as const;
        for (const [id, headers, body] of rows) {
          await pool.query(
            `INSERT INTO bad_days.broker_delivery (group_id, id, key, headers, body)
             SELECT g.id, $2, NULL, $3, $4 FROM bad_days.broker_group AS g WHERE topic = $1`,
            [topic, id, headers, Buffer.from(body)],
          );
        }
        return rows.map(([, , body]) => Buffer.from(body));
      },
      async wipe(topic) {
        const group = '(SELECT id FROM bad_days.broker_group WHERE topic = $1)';
        await pool.query(`DELETE FROM bad_days.broker_delivery WHERE group_id IN ${group}`, [
          topic,
        ]);
        await pool.query(`DELETE FROM bad_days.broker_claim WHERE group_id IN ${group}`, [topic]);
        await pool.query('DELETE FROM bad_days.broker_group WHERE topic = $1', [topic]);
      },
      folder: server.folder,
      stop: () => server.process.kill(),
      start: () => server.process.restart(),
    }),
    { holdMs: 2_000 },
  );
  poisonMessages('postgresBroker', async () => ({ url: `${server.url}?schema=poison` }));
});
