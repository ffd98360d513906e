import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { prepareKafka } from './kafka-server.ts';

/**
 * Apache Kafka as a process of a run file: `kafka-broker-main.ts --port 9092 --data DIR`.
 *
 * When all is prepared this process becomes the JVM (`execve`): same pid, so that the pid a run
 * lists is the one whose SIGKILL kills Kafka, and no wrapper is left that could outlive it. Ready
 * when the port takes connections.
 */
try {
  await main();
} catch (error) {
  console.error(`kafka-broker: ${(error as Error).message}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9092' },
      data: { type: 'string' },
      cache: { type: 'string' },
    },
  });
  if (values.data === undefined) throw new Error('give it a directory for its data: --data DIR');
  const { command, args, port } = await prepareKafka({
    dataDir: values.data,
    port: Number(values.port),
    ...(values.cache === undefined ? {} : { cacheDir: values.cache }),
  });
  const java = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
  console.log(`kafka-broker starting on 127.0.0.1:${port}, pid ${process.pid}`);
  if (process.execve === undefined) throw new Error('it needs a POSIX system with execve.');
  process.execve(java, [java, ...args], process.env as Record<string, string>);
}
