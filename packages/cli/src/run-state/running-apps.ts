import { age } from '../age.ts';
import type { BareSidecar } from './bare-sidecars.ts';
import type { FoundRun } from './find-run.ts';
import type { RecordedProcess } from './run-record.ts';

/** An app that runs beside its sidecar, or a sidecar alone, in the words of `dapr list`. */
export interface RunningApp {
  readonly appId: string;
  /** 0 on a Unix socket. */
  readonly httpPort: number;
  readonly grpcPort: number;
  /** 0 where the app listens on none. */
  readonly appPort: number;
  readonly metricsEnabled: boolean;
  /** '' where its sidecar was started alone. */
  readonly command: string;
  /** Since when its sidecar runs: `12s`, `5m`, `3h`, `2d`. */
  readonly age: string;
  /** The same as a moment: `2026-11-30 17:05:09`, in this machine's time. */
  readonly created: string;
  readonly daprdPid: number;
  /** 0 where no run keeps the sidecar. */
  readonly cliPid: number;
  /** 0 where the app is down, or no run keeps it. */
  readonly appPid: number;
  /** The run file, or '' for `holdfast run -- CMD`. */
  readonly runTemplatePath: string;
  /** The run, as `--run` names it; '' for a sidecar of none. */
  readonly runTemplateName: string;
}

/** The apps whose sidecars run, by the records of the runs that live. */
export function runningApps(runs: readonly FoundRun[], nowWallMs: number): readonly RunningApp[] {
  return runs
    .filter(({ live }) => live)
    .flatMap(({ record: { file, name, processes, supervisor } }) =>
      processes.flatMap((sidecar): readonly RunningApp[] => {
        const { app_id: appId, pid, ports, role, startedWallMs } = sidecar;
        if (role !== 'sidecar' || appId === undefined || pid === null) return [];
        const app = processes.find((one) => one.role === 'service' && one.app_id === appId);
        const startedMs = startedWallMs ?? nowWallMs;
        return [
          {
            appId,
            httpPort: ports.http ?? 0,
            grpcPort: ports.grpc ?? 0,
            appPort: portOf(app),
            metricsEnabled: ports.metrics !== undefined,
            command: app?.command ?? '',
            age: age(nowWallMs - startedMs),
            created: localTime(startedMs),
            daprdPid: pid,
            cliPid: supervisor.pid,
            appPid: app?.pid ?? 0,
            runTemplatePath: file ?? '',
            runTemplateName: name,
          },
        ];
      }),
    );
}

/** Sidecars that no run started: of their applications only the port is known. */
export function bareApps(
  sidecars: readonly BareSidecar[],
  nowWallMs: number,
): readonly RunningApp[] {
  return sidecars.map(({ pid, startedWallMs, ...known }) => ({
    ...known,
    command: '',
    age: age(nowWallMs - startedWallMs),
    created: localTime(startedWallMs),
    daprdPid: pid,
    cliPid: 0,
    appPid: 0,
    runTemplatePath: '',
    runTemplateName: '',
  }));
}

/** An app has one port, named for what it speaks. */
function portOf(app: RecordedProcess | undefined): number {
  return Object.values(app?.ports ?? {})[0] ?? 0;
}

function localTime(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
