import type { PostgresServer } from '@holdfast/test-servers';
import { eventually } from '../eventually.ts';

/** Starts a killed server again. What is left of it may hold its shared memory for a moment. */
export async function restartPostgres(server: PostgresServer): Promise<void> {
  const up = () =>
    server.process.restart().then(
      () => 'up',
      (error: Error) => error.message,
    );
  await eventually(up, (answer) => answer === 'up', 'PostgreSQL serves again');
}
