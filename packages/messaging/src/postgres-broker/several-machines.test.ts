import { severalMachines } from '../testing/outages/several-machines.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

await postgresSuite('several machines on one PostgreSQL', (suite) => {
  severalMachines(suite, async () => ({
    where: 'postgres',
    holdMs: 1_500,
    pauseMs: 0,
    handleMs: 2,
    async begin(schema, topic, group) {
      const broker = postgresBroker({ pool: suite.pool, schema });
      await (await broker.subscribe(topic, { group }, async () => {})).close();
      await broker.close();
    },
  }));
});
