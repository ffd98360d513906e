/**
 * What `npm start` runs: the whole platform, a page of what to try, and Ctrl-C
 * that ends all of it. `npm start -- --help` says the rest.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { interruptSignals } from 'holdfast';
import type { BrokerChoice } from './run/platform-run.ts';
import { HELP, welcome } from './run/screen.ts';
import { type Platform, startPlatform } from './run/start-platform.ts';

const startedMs = performance.now();
const interrupts = interruptSignals();

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  if (interrupts.signal.aborted) return 130;
  process.stderr.write(`${error.message}\n${remedy(error)}`);
  return 1;
});

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv.map((word, i) => (word === '--drill' && isLast(argv, i) ? '--drill=all' : word)),
    options: {
      fresh: { type: 'boolean' },
      broker: { type: 'string', default: 'mqtt' },
      port: { type: 'string', default: '8000' },
      data: { type: 'string' },
      drill: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const drills = values.drill === undefined ? [] : [...values.drill, ...positionals];
  if (drills.length === 0 && positionals.length > 0) throw new Error(HELP);

  // Before anything is started: thirteen processes are a long way to a misspelt name.
  const wrong = drills.length === 0 ? [] : (await loadDrills()).whatIsWrong(drills);
  if (wrong.length > 0) {
    process.stderr.write(`${wrong.join('\n')}\n`);
    return 2;
  }

  const [port, broker] = [portNumber(values.port), brokerChoice(values.broker)];
  const state = values.data === undefined ? undefined : await folder(values.data);

  process.stdout.write('Starting the sensor platform …\n');
  const platform = await startPlatform({
    port,
    broker,
    fresh: values.fresh ?? false,
    ...(state !== undefined && { state }),
    node: process.execPath,
    env: process.env,
    run: {
      // While drills run, they are told first and the platform after them.
      ...(drills.length === 0 && { signal: interrupts.signal }),
      forceSignal: interrupts.forceSignal,
      onNote: (line) => process.stderr.write(`${line}\n`),
    },
  });

  if (drills.length > 0) return holdDrills(platform, drills);
  process.stdout.write(welcome(platform, performance.now() - startedMs));
  await platform.run.ended;
  return 0;
}

async function holdDrills(platform: Platform, names: string[]): Promise<number> {
  try {
    const { runDrills } = await loadDrills();
    return await runDrills(names, {
      baseUrl: platform.url,
      control: platform.run,
      databaseUrl: platform.databaseUrl,
      directory: join(platform.state, 'drills'),
      signal: interrupts.signal,
    });
  } finally {
    await platform.run.stop();
  }
}

/** Only a run that holds drills pays for loading them. */
function loadDrills() {
  return import('./drills/run-drills.ts');
}

function isLast(argv: string[], index: number): boolean {
  const next = argv[index + 1];
  return next === undefined || next.startsWith('--');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RangeError(`--port must be a whole number from 0 to 65535, not ${text}.`);
}

function brokerChoice(text: string): BrokerChoice {
  if (text === 'mqtt' || text === 'kafka') return { kind: text };
  if (/^kafka:\/\/[^/]+:\d+$/.test(text)) return { kind: 'elsewhere', url: text };
  throw new RangeError(`--broker must be mqtt, kafka or kafka://host:port, not ${text}.`);
}

async function folder(path: string): Promise<string> {
  const absolute = resolve(path);
  await mkdir(absolute, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `--data must be a folder that this user may write to, not ${path} (${error.code}).`,
    );
  });
  return absolute;
}

function remedy(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'PORT_TAKEN')
    return 'npm start -- --port 0 takes free ports for everything, --port N another one for the gateway.\n';
  return code.startsWith('ERR_PARSE_ARGS') ? `\n${HELP}` : '';
}
