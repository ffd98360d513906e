import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { fetchKafka } from './kafka-jars.ts';

export { fetchKafka, kafkaProblem } from './kafka-jars.ts';

export interface KafkaOptions {
  /** Its data and configuration; made when missing. The same directory is the same cluster. */
  readonly dataDir: string;
  /** On 127.0.0.1. @default any free one */
  readonly port?: number;
  /** Of 127.0.0.1, what it tells clients to connect to: a proxy's. @default port */
  readonly advertisedPort?: number;
  /** Where the jars are kept. @default node_modules/.cache/holdfast-kafka */
  readonly cacheDir?: string;
  /** Beside ours in its configuration, and instead of them. */
  readonly properties?: Readonly<Record<string, string>>;
  /** For the formatting of a new directory: `['--add-scram', 'SCRAM-SHA-256=[name=…,password=…]']`. */
  readonly formatArgs?: readonly string[];
  /** Beside ours, for the JVM of the broker. */
  readonly jvmArgs?: readonly string[];
}

export interface KafkaCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
}

export interface KafkaServer {
  readonly port: number;
  /** Of the JVM itself. */
  readonly pid: number;
  /** SIGTERM, and SIGKILL where that takes longer than 20 s. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** A small JVM that starts quickly: this is a broker for tests and drills on one machine. */
const JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

/** Fetches, configures and formats where needed. What is returned, run as it is, is the broker. */
export async function prepareKafka(options: KafkaOptions): Promise<KafkaCommand> {
  const jars = await fetchKafka(options.cacheDir);
  const port = options.port ?? (await freePort());
  await mkdir(options.dataDir, { recursive: true });
  const properties = join(options.dataDir, 'server.properties');
  const more = Object.entries(options.properties ?? {}).map(
    ([name, value]) => `${name}=${value}\n`,
  );
  const text = await propertiesText({ ...options, port });
  // Of two lines with one name the last counts.
  await writeFile(properties, text + more.join(''));
  const java = [...JVM, QUIET, '-cp', join(jars, '*')];
  if (!existsSync(join(options.dataDir, 'log', 'meta.properties'))) {
    const format = [
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      '-t',
      'aG9sZGZhc3QtZHJpbGw5OQ',
    ];
    await promisify(execFile)('java', [
      ...[...java, ...format, '-c', properties],
      ...(options.formatArgs ?? []),
    ]);
  }
  const jvm = [...(options.jvmArgs ?? []), ...java];
  return { command: 'java', args: [...jvm, 'kafka.Kafka', properties], port };
}

/** Starts Apache Kafka (KRaft, one node) and waits until it takes connections. */
export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  const { command, args, port } = await prepareKafka(options);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-4_000);
  });
  const exited = once(child, 'exit');
  await untilListening(port, child, () => output);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    port,
    pid: child.pid ?? -1,
    signal: (signal) => void child.kill(signal),
    kill: () => end('SIGKILL'),
    async stop() {
      // A stopped process does not hear SIGTERM.
      child.kill('SIGCONT');
      const patience = new AbortController();
      const late = sleep(20_000, undefined, { signal: patience.signal }).then(
        () => child.kill('SIGKILL'),
        () => {},
      );
      await end('SIGTERM');
      patience.abort();
      await late;
    },
  };
}

async function untilListening(port: number, child: ChildProcess, output: () => string) {
  for (let tries = 0; tries < 1_800; tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`Kafka ended while it was starting: ${output()}`);
    }
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`Kafka did not listen on port ${port} within 180 s: ${output()}`);
}

/** The controller's port is part of what was formatted, so it stays when the broker's changes. */
async function propertiesText({
  dataDir,
  port,
  advertisedPort = port,
}: KafkaOptions & { readonly port: number }): Promise<string> {
  const portFile = join(dataDir, 'controller-port');
  const known = await readFile(portFile, 'utf8').catch(() => undefined);
  const controller = known ?? String(await freePort());
  if (known === undefined) await writeFile(portFile, controller);
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${advertisedPort},CONTROLLER://127.0.0.1:${controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${join(dataDir, 'log')}
num.partitions=3
auto.create.topics.enable=true
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A killed broker is fenced by its own controller until its old session ends: 1.5 s instead of 9.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=500
`;
}
