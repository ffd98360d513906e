import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import {
  isBroken,
  parseDuration,
  parseResiliency,
  type ResiliencyDocument,
} from '@holdfast/config';
import { freePort, until } from '@holdfast/test-servers';
import { LONGEST_TIMER_MS } from '../../../packages/config/src/parse/read-duration.ts';
import {
  type CodeSpace,
  GRPC_CODES,
  HTTP_CODES,
  parseStatusCodes,
  statusMatcher,
} from '../../../packages/config/src/parse/status-codes.ts';
import { workspace } from '../../../packages/config/src/testing/workspace.ts';
import { findDaprd } from '../makes/daprd.ts';

const daprd = await findDaprd();
const skip = daprd === undefined && '../shared/peers has no daprd: there is nobody to read beside';

/** daprd compiles an unknown function again and again, for ever: it does not come up with this file. */
const HANGS = ['bad-trip'];

/** Where we say no and Dapr does not, with the reason. */
const STRICTER: Readonly<Record<string, string>> = {
  aliases: 'Dapr has no limit of aliases',
  'own-keys':
    'what is wrong is in keys that Dapr ignores; ours leaves those entries out and says so',
};

test('real daprd loads what we load, as we read it, and refuses what we refuse', {
  skip,
}, async (t) => {
  const { at, write } = await workspace(t);
  await mkdir(at('resources'));
  const ours: Record<string, Reading> = {};
  for (const folder of ['good', 'bad']) {
    const fixtures = new URL(`../../../packages/config/fixtures/${folder}/`, import.meta.url);
    for (const file of await readdir(fixtures)) {
      const name = path.basename(file, '.yaml');
      const text = await readFile(new URL(file, fixtures), 'utf8');
      // A component in the same file would be started, and fail for reasons of its own.
      if (
        HANGS.includes(name) ||
        !/^kind: Resilien/m.test(text) ||
        /^kind: Component/m.test(text)
      ) {
        continue;
      }
      await write(
        `resources/${file}`,
        text.replace(/^( {2}name:|metadata: \{ name:).*/m, named(name)),
      );
      const { documents, problems } = parseResiliency(text, file);
      const [document] = problems.some(isBroken) ? [] : documents;
      if (!(name in STRICTER))
        ours[name] = document === undefined ? 'refused' : readingOf(document);
    }
  }

  const messages = await startupMessages(t, at('resources'));
  const theirs: Record<string, Reading> = {};
  for (const name of Object.keys(ours)) {
    const shown = `Resiliency configuration (${name}): `;
    const dump = messages.find((message) => message.startsWith(shown))?.slice(shown.length);
    const failed = messages.some((each) =>
      each.startsWith(`Could not read resiliency policy ${name}:`),
    );
    theirs[name] = dump === undefined || failed ? 'refused' : readingOfDump(JSON.parse(dump));
  }
  assert.ok(Object.keys(ours).length > 20, 'nearly nothing was compared');
  assert.deepEqual(theirs, ours);
});

/** What both can say of a file: its time limits, how often it retries, and whom it names. */
type Reading =
  | 'refused'
  | {
      readonly timeouts: Record<string, number>;
      readonly retries: Record<string, RetryReading>;
      readonly circuitBreakers: readonly string[];
      readonly targets: readonly string[];
    };

interface RetryReading {
  readonly maxRetries: number;
  /** Of exponential ones neither file says more than Dapr fixes. */
  readonly constantMs: number | undefined;
  /** The statuses that are tried again. */
  readonly matches: readonly number[];
}

const STATUSES = Array.from({ length: HTTP_CODES.last + 1 }, (_, code) => code);

function readingOf({ policies, targets }: ResiliencyDocument): Reading {
  const { timeouts, retries, circuitBreakers } = policies;
  return {
    timeouts: Object.fromEntries([...timeouts].map(([name, { limitMs }]) => [name, limitMs])),
    retries: Object.fromEntries(
      [...retries].map(([name, { backoff, delayMs, matches, maxRetries }]) => [
        name,
        {
          maxRetries,
          constantMs: backoff === 'constant' ? delayMs : undefined,
          matches: STATUSES.filter(matches),
        },
      ]),
    ),
    circuitBreakers: [...circuitBreakers.keys()].sort(),
    targets: [
      ...targets.apps.keys(),
      ...targets.actors.keys(),
      ...targets.components.keys(),
    ].sort(),
  };
}

interface RetryDump {
  readonly policy?: string;
  readonly duration?: string;
  readonly maxRetries?: number;
  readonly matching?: { readonly httpStatusCodes?: string; readonly gRPCStatusCodes?: string };
}

interface Dump {
  readonly spec: {
    readonly policies: {
      readonly timeouts?: Record<string, string>;
      readonly retries?: Record<string, RetryDump>;
      readonly circuitBreakers?: object;
    };
    readonly targets: {
      readonly apps?: object;
      readonly actors?: object;
      readonly components?: object;
    };
  };
}

function readingOfDump({ spec: { policies, targets } }: Dump): Reading {
  const limit = (text: string) => {
    const parsed = parseDuration(text);
    // Beyond what a timer can do, and below zero, we say what will happen.
    return 'ms' in parsed
      ? Math.min(Math.max(0, Math.ceil(parsed.ms)), LONGEST_TIMER_MS)
      : Number.NaN;
  };
  const ranges = (text: string | undefined, space: CodeSpace) => {
    const parsed = parseStatusCodes(text ?? '', space);
    return 'fault' in parsed ? undefined : parsed.ranges;
  };
  const retries = ({ duration, matching, maxRetries = -1, policy }: RetryDump): RetryReading => ({
    maxRetries: maxRetries < 0 ? Number.POSITIVE_INFINITY : maxRetries,
    constantMs: policy?.toLowerCase() === 'exponential' ? undefined : limit(duration ?? '5s'),
    matches: STATUSES.filter(
      statusMatcher(
        ranges(matching?.httpStatusCodes, HTTP_CODES),
        ranges(matching?.gRPCStatusCodes, GRPC_CODES),
      ),
    ),
  });
  const mapped = <In, Out>(of: Record<string, In> | undefined, to: (value: In) => Out) =>
    Object.fromEntries(Object.entries(of ?? {}).map(([name, value]) => [name, to(value)]));
  return {
    timeouts: mapped(policies.timeouts, limit),
    retries: mapped(policies.retries, retries),
    circuitBreakers: Object.keys(policies.circuitBreakers ?? {}).sort(),
    targets: [targets.apps, targets.actors, targets.components]
      .flatMap((of) => Object.keys(of ?? {}))
      .sort(),
  };
}

const named = (name: string) => (_: string, key: string) =>
  key.startsWith('metadata') ? `metadata: { name: ${name} }` : `  name: ${name}`;

/** Starts daprd with these resources, stops it once it is up, and gives the messages it logged. */
async function startupMessages(
  t: { after(fn: () => unknown): void },
  resources: string,
): Promise<string[]> {
  const port = async () => String(await freePort());
  const [http, grpc, internal] = [await port(), await port(), await port()];
  const child: ChildProcess = spawn(daprd!, [
    ...['--app-id', 'checkout', '--resources-path', resources, '--enable-metrics=false'],
    ...['--dapr-http-port', http, '--dapr-grpc-port', grpc, '--dapr-internal-grpc-port', internal],
    ...['--dapr-listen-addresses', '127.0.0.1', '--log-level', 'debug', '--log-as-json'],
  ]);
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log += chunk;
    });
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until(
    () => `daprd comes up or says why not, and not only:\n${log.slice(-2_000)}`,
    () => child.exitCode !== null || /dapr initialized|"level":"fatal"/.test(log),
  );
  child.kill('SIGKILL');
  await ended;
  const whole = log.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return whole.map((line) => String((JSON.parse(line) as { msg: unknown }).msg));
}
