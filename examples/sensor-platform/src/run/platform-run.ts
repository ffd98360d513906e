import { join } from 'node:path';
import type { AppEntry, ProcessEntry, RunFile } from 'holdfast';

/** How this start differs from what dapr.yaml says. */
export interface PlatformOptions {
  /** The example's folder, where the run file's commands run. */
  readonly home: string;
  /** Where state is kept. @default what the run file says: `.holdfast/sensor-platform` in `home` */
  readonly state?: string;
  /** New ports by those of the run file, `{ 8000: 8010 }`. Sidecars' ports: 0 is any free one. */
  readonly ports?: Readonly<Record<number, number>>;
  readonly broker?: BrokerChoice;
  /** The Node.js to run the commands with. */
  readonly node: string;
  /** A Dapr configuration of this run, so that two platforms on one machine do not find each other. */
  readonly configuration?: string;
}

/** The broker of the run file, Apache Kafka started in its place, or a Kafka that runs elsewhere. */
export type BrokerChoice =
  | { readonly kind: 'mqtt' }
  | { readonly kind: 'kafka' }
  | { readonly kind: 'elsewhere'; readonly url: string };

/** As the run file writes it; every other path of state is below it. */
export const STATE = '.holdfast/sensor-platform';

/** The run file with other ports, folders and broker. Nothing else changes, and nothing is started. */
export function platformRun(file: RunFile, options: PlatformOptions): RunFile {
  const { home, state = join(home, STATE), ports = {}, configuration } = options;
  const text = (value: string) => withPorts(value.replaceAll(STATE, state), ports);
  const environment = (env: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, text(value)]));
  const command = ([program = '', ...args]: readonly string[]) => [
    program === 'node' ? options.node : program,
    ...args.map(text),
  ];
  const port = (number: number) => ports[number] ?? number;

  const app = (entry: AppEntry): AppEntry => ({
    ...entry,
    ...(entry.appPort !== undefined && { appPort: port(entry.appPort) }),
    ...(entry.daprHTTPPort !== undefined && { daprHTTPPort: port(entry.daprHTTPPort) }),
    ...(entry.metricsPort !== undefined && { metricsPort: port(entry.metricsPort) }),
    ...(entry.command !== undefined && { command: command(entry.command) }),
    env: environment(entry.env),
  });
  const process = (entry: ProcessEntry): ProcessEntry => ({
    ...entry,
    dirPath: entry.dirPath ?? home,
    command: command(entry.command),
    ...(entry.ports !== undefined && {
      ports: Object.fromEntries(Object.entries(entry.ports).map(([name, n]) => [name, port(n)])),
    }),
    ...(entry.ready !== undefined &&
      'tcp' in entry.ready && { ready: { tcp: port(entry.ready.tcp) } }),
  });

  const broker = file.holdfast.processes.find(({ role }) => role === 'broker');
  const kept = file.holdfast.processes.filter((entry) => entry !== broker).map(process);
  const choice = options.broker ?? { kind: 'mqtt' };
  const brokerEnv = environment(file.common.env);
  switch (choice.kind) {
    case 'mqtt':
      if (broker !== undefined) kept.push(process(broker));
      break;
    case 'kafka': {
      const number = port(KAFKA_PORT);
      kept.push(kafkaProcess(home, state, options.node, number));
      brokerEnv.BROKER_URL = `kafka://127.0.0.1:${number}`;
      break;
    }
    case 'elsewhere':
      brokerEnv.BROKER_URL = choice.url;
  }
  return {
    ...file,
    common: {
      ...file.common,
      env: brokerEnv,
      ...(configuration !== undefined && { configFilePath: configuration }),
    },
    apps: file.apps.map(app),
    holdfast: { ...file.holdfast, processes: kept },
  };
}

/** Every port of the run file that is not 0. */
export function portsOf(file: RunFile): readonly number[] {
  const ofApps = file.apps.flatMap((app) => [app.appPort, app.daprHTTPPort, app.metricsPort]);
  const ofProcesses = file.holdfast.processes.flatMap(({ ports = {} }) => Object.values(ports));
  return [...ofApps, ...ofProcesses, KAFKA_PORT].filter(
    (port): port is number => port !== undefined && port > 0,
  );
}

/** Where Apache Kafka listens when it takes the broker's place. */
const KAFKA_PORT = 9094;

function kafkaProcess(home: string, state: string, node: string, port: number): ProcessEntry {
  return {
    name: 'broker',
    role: 'broker',
    dirPath: home,
    command: [
      ...[node, '--conditions=source', 'src/broker/kafka-process.ts'],
      ...['--data', join(state, 'broker-kafka'), '--port', String(port)],
    ],
    ports: { kafka: port },
    ready: { tcp: port },
    readyTimeoutMs: 120_000,
  };
}

/** Ports within a text, such as a URL or an argument; a number that only contains one stays. */
export function withPorts(text: string, ports: Readonly<Record<number, number>>): string {
  return text.replace(/(?<![\w.])\d{2,5}(?![\w.])/g, (number) =>
    String(ports[Number(number)] ?? number),
  );
}
