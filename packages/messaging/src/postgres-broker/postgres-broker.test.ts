import { brokerContract } from '../testing/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/postgres-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

await postgresSuite('the broker on PostgreSQL', ({ server, newPool }) => {
  brokerContract('postgresBroker', async () => ({
    connect: (clientId) =>
      postgresBroker({
        pool: newPool(),
        clientId,
        timeoutMs: 5_000,
        reconnectMs: 100,
        claimMs: 2_000,
      }),
    tooLargeBytes: 1_100_000,
    kill: () => server.process.kill(),
    // What is left of the killed server may hold its shared memory for a moment.
    start: async () => {
      await eventually(
        () =>
          server.process.restart().then(
            () => 'up',
            (error: Error) => error.message,
          ),
        (answer) => answer === 'up',
        'PostgreSQL serves again',
      );
    },
  }));
});
