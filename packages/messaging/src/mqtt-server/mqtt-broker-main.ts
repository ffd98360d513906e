import { parseArgs } from 'node:util';
import { startMqttServer } from './mqtt-server.ts';

/**
 * The broker as a process: `mqtt-broker --port 1883 --data DIR`.
 *
 * Prints one line when it is ready. SIGTERM and SIGINT close its database; SIGKILL loses nothing
 * that was acknowledged.
 */
const values = flags();
if (values.data === undefined) {
  console.error('mqtt-broker: give it a directory for its database: --data DIR');
  process.exit(2);
}

try {
  const server = await startMqttServer({ port: Number(values.port), dataDir: values.data });
  const stop = () => void server.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`mqtt-broker ready on 127.0.0.1:${server.port}, pid ${process.pid}`);
} catch (error) {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const reason = error instanceof Error ? error.message : String(error);
  console.error(
    taken
      ? `mqtt-broker: port ${values.port} is taken. Give another with --port.`
      : `mqtt-broker: ${reason}`,
  );
  process.exit(1);
}

function flags() {
  try {
    return parseArgs({
      options: { port: { type: 'string', default: '1883' }, data: { type: 'string' } },
    }).values;
  } catch (error) {
    console.error(
      `mqtt-broker: ${(error as Error).message}. There are --port PORT and --data DIR.`,
    );
    process.exit(2);
  }
}
