import { postgresSuite } from '../testing/postgres-suite.ts';
import { severalMachines } from '../testing/several-machines.ts';
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
