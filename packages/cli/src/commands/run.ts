import { FlagError, type ParsedFlags } from '../flags/flag.ts';
import { flagHelp } from '../flags/flag-help.ts';
import { flagReader } from '../flags/flag-reader.ts';
import { parseFlags } from '../flags/parse-flags.ts';
import { RUN_FLAGS } from '../flags/run-flags.ts';
import { readRunFile } from '../run-file/read-run-file.ts';
import type { RunFile } from '../run-file/run-file.ts';
import { InterruptedError, interruptSignals } from '../supervisor/interrupt-signals.ts';
import { logFolder } from '../supervisor/log/log-file.ts';
import { RunStoppedError } from '../supervisor/run.ts';
import { startRun } from '../supervisor/start-run.ts';
import type { CommandContext } from './output.ts';
import { runFileFromFlags } from './run-file-from-flags.ts';

/** What `holdfast run --help` prints. */
function runHelp(): string {
  return `holdfast run: apps, each with a sidecar, as dapr run does.

  holdfast run --app-id orders --app-port 8080 -- node orders.js
  holdfast run -f dapr.yaml

${flagHelp(RUN_FLAGS)}

With a command, the run ends when the app does, with the app's status. With -f it goes on until Ctrl-C or
\`holdfast stop\`. Ctrl-C ends everything in order; a second one kills what is left.`;
}

/** Runs one app, or the apps of a run file, until they end or are told to. Returns the status to exit with. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const flags = parseFlags(RUN_FLAGS, args, { rest: true });
  if (flags.values.get('help') === true) {
    context.output.out(runHelp());
    return 0;
  }
  for (const note of flags.notes) context.output.err(note);

  const interrupts = interruptSignals();
  try {
    const file = flagReader(flags).text('run-file');
    const runFile = await whatToRun(flags, file, context);
    const run = await startRun(runFile, {
      signal: interrupts.signal,
      forceSignal: interrupts.forceSignal,
      env: context.env,
      endWithApps: file === undefined,
      onLine: (name, line) => context.output.out(prefixed(runFile, file !== undefined, name, line)),
      onNote: (line) => context.output.err(line),
    });
    const running = run.ps().filter(({ pid }) => pid !== null).length;
    if (running > 0) context.output.err(upAndRunning(run.name, running, logFolders(runFile)));
    const { reason, status } = await run.ended;
    return reason === 'stopped' && interrupts.signal.aborted ? 0 : status;
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof RunStoppedError) return 0;
    throw error;
  } finally {
    interrupts.close();
  }
}

async function whatToRun(
  flags: ParsedFlags,
  file: string | undefined,
  { cwd }: CommandContext,
): Promise<RunFile> {
  if (file === undefined) return runFileFromFlags(flags, cwd);
  const others = [...flags.values.keys()].filter(
    (name) => !['run-file', 'kubernetes'].includes(name),
  );
  if (others.length > 0 || flags.rest.length > 0) {
    const extra = others.length > 0 ? `--${others[0]}` : `the command "${flags.rest.join(' ')}"`;
    throw new FlagError(
      `-f takes everything from the run file; leave out ${extra}, or write it there.`,
    );
  }
  if (file === '') throw new FlagError('-f is empty; name a run file, or the folder it is in.');
  return readRunFile(file);
}

/** Dapr's prefixes for apps; everything else goes by its name in `ps`. A lone sidecar's lines are its own. */
function prefixed(runFile: RunFile, many: boolean, name: string, line: string): string {
  const isApp = runFile.apps.some((app) => app.appID === name);
  if (isApp) return many ? `== APP - ${name} == ${line}` : `== APP == ${line}`;
  return many ? `== ${name} == ${line}` : line;
}

/** Where apps and sidecars write their lines, of those that write them to files. */
function logFolders({ apps }: RunFile): readonly string[] {
  const filed = apps.filter(({ appLogDestination, daprdLogDestination }) =>
    [appLogDestination, daprdLogDestination].some((where) => where !== 'console'),
  );
  return [...new Set(filed.map(({ appDirPath }) => logFolder(appDirPath)))];
}

function upAndRunning(name: string, count: number, logs: readonly string[]): string {
  const kept = logs.length === 0 ? '' : ` Logs: ${logs.join(', ')}.`;
  return `Run "${name}" is up: ${count} process${count === 1 ? '' : 'es'}. See them with \`holdfast ps\`; Ctrl-C ends them.${kept}`;
}
