import { basename } from 'node:path';
import type { FlagValue } from '../flags/flag.ts';
import { HOLDFASTD_FLAGS } from '../flags/holdfastd-flags.ts';
import { parseFlags } from '../flags/parse-flags.ts';
import type { OwnProcess } from './own-processes.ts';

/** A `holdfastd` that no run started, by what its command line says. */
export interface BareSidecar {
  readonly pid: number;
  readonly appId: string;
  /** 0 on a Unix socket, and where the system chose it. */
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly appPort: number;
  readonly metricsEnabled: boolean;
  readonly startedWallMs: number;
}

const PROGRAM = /^holdfastd(?:\.mjs|-main\.[jt]s)?$/;
/** They ask it something, and start nothing. */
const QUESTIONS = ['help', 'version', 'build-info', 'wait'];

/**
 * The sidecars among processes that are in no run: `recorded` are the pids of those that are. Whoever has
 * another folder of runs (`stateHome`, as `HOLDFAST_STATE_HOME` has it) is somebody else's.
 */
export function bareSidecars(
  processes: readonly OwnProcess[],
  recorded: ReadonlySet<number>,
  stateHome: string | undefined,
): readonly BareSidecar[] {
  return processes.flatMap((one) => {
    if (recorded.has(one.pid)) return [];
    const values = flagsOf(one.args);
    const appId = values?.get('app-id');
    if (values === undefined || typeof appId !== 'string') return [];
    if ((one.variable('HOLDFAST_STATE_HOME') || '') !== (stateHome || '')) return [];
    const port = (name: string, usual: number) => Math.max(0, numberOf(values.get(name), usual));
    const onSocket = Boolean(values.get('unix-domain-socket'));
    return [
      {
        pid: one.pid,
        appId,
        httpPort: onSocket ? 0 : port('dapr-http-port', 3_500),
        grpcPort: onSocket ? 0 : port('dapr-grpc-port', 50_001),
        appPort: port('app-port', 0),
        metricsEnabled: values.get('enable-metrics') !== false,
        startedWallMs: one.startedWallMs,
      },
    ];
  });
}

const numberOf = (value: FlagValue | undefined, usual: number): number =>
  typeof value === 'number' ? value : usual;

/** Undefined for what is no sidecar that runs: another program, one that only mentions it, a question. */
function flagsOf(args: readonly string[]): ReadonlyMap<string, FlagValue> | undefined {
  const [program = '', ...more] = args.map((arg) => basename(arg));
  // Of Node the script is the first that is no flag of Node's own.
  const script = PROGRAM.test(program) ? 0 : 1 + more.findIndex((_, at) => !isFlag(args[at + 1]!));
  const isNode = /^node(?:\.exe)?$/.test(program);
  if (!(script === 0 || isNode) || !PROGRAM.test(basename(args[script] ?? ''))) return undefined;
  try {
    const given = args.slice(script + 1);
    const { values } = parseFlags(HOLDFASTD_FLAGS, given, { singleDash: true, booleanWords: true });
    return QUESTIONS.some((name) => values.get(name) === true) ? undefined : values;
  } catch {
    // It was refused as well, and is about to end.
    return undefined;
  }
}

const isFlag = (arg: string): boolean => arg.startsWith('-');
