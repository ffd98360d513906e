import { createWriteStream, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock } from '@holdfast/core';
import { SIDECAR_DEFAULTS, type Sidecar, startSidecar } from '@holdfast/sidecar';
import { createLogger, type Logger } from '@holdfast/telemetry/log';
import { forgetSidecarEnv } from '../bin/sidecar-node.mjs';
import { appendLines } from './append-lines.ts';
import { FlagError, type ParsedFlags } from './flags/flag.ts';
import { flagReader } from './flags/flag-reader.ts';
import { HOLDFASTD_FLAGS } from './flags/holdfastd-flags.ts';
import { parseFlags } from './flags/parse-flags.ts';
import { giveMemoryBack } from './holdfastd/give-memory-back.ts';
import {
  type HoldfastdSettings,
  holdfastdSettings,
  idleCertificates,
} from './holdfastd/holdfastd-settings.ts';
import { startFailure } from './holdfastd/start-failure.ts';
import { supervisorChannel } from './holdfastd/supervisor-channel.ts';
import { version } from './version.ts';

/** daprd's: 0 when it was asked to end, 1 when it could not run or has cut off what was under way, 2 when it was not understood. */
const FAILED = 1;
const BAD_USAGE = 2;

/** After a second signal, how long saying goodbye to other sidecars may take. */
const FORCED_MS = 500;

/** Begun as daprd's lines where it has no placement and no scheduler, which operators look for. */
const WITHOUT_CONTROL_PLANE = [
  'Actor runtime disabled: there are no actors in Holdfast. Actors and Workflow APIs will be unavailable',
  'Scheduler disabled: there are no jobs in Holdfast',
];

// When the supervisor is gone, so is the reader of our lines; we still end in good order.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

forgetSidecarEnv(process.env);
await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  let flags: ParsedFlags;
  let settings: HoldfastdSettings;
  let log: Logger;
  try {
    flags = parseFlags(HOLDFASTD_FLAGS, args, { singleDash: true, booleanWords: true });
    if (await answerOnly(flags)) return;
    settings = holdfastdSettings(flags, process.env);
    log = openLog(settings.log, settings.sidecar.appId);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    await supervisorChannel().say({ type: 'failed', code: error.code, message: error.message });
    process.stderr.write(`holdfastd: ${error.message}\n`);
    process.exitCode = BAD_USAGE;
    supervisorChannel().close();
    return;
  }
  for (const note of [...flags.notes, ...idleCertificates(flags)]) log.warn(note);
  await serve(settings, log);
}

/** The flags that ask a question and start nothing. True when one was given. */
async function answerOnly(flags: ParsedFlags): Promise<boolean> {
  const { boolean, number } = flagReader(flags);
  if (boolean('help')) {
    const { holdfastdHelp } = await import('./holdfastd/help.ts');
    process.stdout.write(holdfastdHelp());
    return true;
  }
  if (boolean('version') || boolean('build-info')) {
    const runsOn = `node ${process.version} ${process.platform}-${process.arch}`;
    const more = boolean('build-info') ? `\nruns on: ${runsOn}` : '';
    process.stdout.write(`${version()}${more}\n`);
    return true;
  }
  if (!boolean('wait')) return false;
  const { waitOutbound } = await import('./holdfastd/wait-outbound.ts');
  const port = number('dapr-http-port') ?? SIDECAR_DEFAULTS.httpPort;
  if (!(await waitOutbound(port, systemClock))) {
    process.stderr.write(`holdfastd: no sidecar on port ${port} could call out within 60 s.\n`);
    process.exitCode = FAILED;
  }
  return true;
}

/** daprd's fields are on every line: who reads the logs of many sidecars tells them apart by these. */
function openLog({ level, json, file }: HoldfastdSettings['log'], appId: string): Logger {
  const fields = {
    app_id: appId,
    instance: hostname(),
    scope: 'holdfast.runtime',
    ver: version(),
  };
  if (file === undefined) {
    return createLogger({ level, json, fields, write: (line) => void process.stdout.write(line) });
  }
  const stream = createWriteStream(file, { fd: openForAppending(file) });
  stream.on('error', (error) => process.stderr.write(`holdfastd: ${file}: ${error.message}\n`));
  const write = appendLines(stream, (lines) => {
    log.warn(`${lines} lines are missing here: the disk was slower than they came`);
  });
  const log = createLogger({ level, json, fields, write });
  return log;
}

/** A log that nobody can ever read is noticed now; a disk that is full later on costs lines alone. */
function openForAppending(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FlagError(
      `--log-file must be a file that this user may write, in a folder that is there, not "${file}" (${code ?? message}).`,
    );
  }
}

/** Starts the sidecar and keeps it until a signal, its API or its supervisor ends it. */
async function serve({ sidecar: options }: HoldfastdSettings, log: Logger): Promise<void> {
  const channel = supervisorChannel();
  let ending: NodeJS.Signals | 'gone' | undefined;
  let sidecar: Sidecar | undefined;

  const end = (why: NodeJS.Signals | 'gone') => {
    const again = ending !== undefined && why !== 'gone';
    ending ??= why;
    log.info(
      why === 'gone'
        ? 'the supervisor is gone; ending'
        : `${why}: ending${again ? ' at once' : ''}`,
    );
    void sidecar?.stop({ force: again, linger: why !== 'gone' });
    if (again)
      void systemClock
        .sleep(sidecar === undefined ? 0 : FORCED_MS)
        .then(() => process.exit(FAILED));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => {
    log.info('SIGHUP: reading the resources again');
    sidecar?.reload().catch((error: Error) => log.error(error.message));
  });
  channel.onGone(() => end('gone'));

  for (const line of WITHOUT_CONTROL_PLANE) log.info(line);
  const begunMs = systemClock.now();
  try {
    sidecar = await startSidecar(options, { log, variables: process.env });
  } catch (error) {
    const { code, message } = startFailure(error, options);
    await channel.say({ type: 'failed', code, message });
    log.error(`Fatal error from runtime: ${message}`);
    process.exitCode = FAILED;
    // Whatever the failed start may still hold open must not keep this process.
    channel.close();
    setImmediate(() => process.exit(FAILED));
    return;
  }
  const elapsedMs = Math.round(systemClock.now() - begunMs);
  // The line is daprd's, which operators look for.
  log.info(`dapr initialized. Status: Running. Init Elapsed ${elapsedMs}ms`);
  if (ending !== undefined) void sidecar.stop({ force: false });
  giveMemoryBack(systemClock);
  await channel.say({ type: 'ready', ports: sidecar.ports });
  const clean = (await sidecar.ended) === 'done';
  // The line is daprd's, which operators look for.
  if (clean) log.info('Daprd shutdown gracefully');
  channel.close();
  process.exit(clean ? 0 : FAILED);
}
