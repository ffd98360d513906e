import { didYouMean } from '../did-you-mean.ts';
import { isAppId } from '../flags/app-id.ts';
import { type RunFile, sidecarName } from './run-file.ts';

/** A contradiction between entries of a run file; `path` leads to the later of them. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly rule: string;
  readonly message: string;
}

/** The keys of an app that ask for a port, and the flags of `holdfast run` that do. */
const APP_PORTS = {
  appPort: '--app-port',
  daprHTTPPort: '--dapr-http-port',
  daprGRPCPort: '--dapr-grpc-port',
  daprInternalGRPCPort: '--dapr-internal-grpc-port',
  metricsPort: '--metrics-port',
  profilePort: '--profile-port',
} as const;

type AppPort = keyof typeof APP_PORTS;

/** Who asks for which port, in the file's order. 0 and below ask for any free one and are left out. */
export interface PortClaim {
  readonly port: number;
  /** The entry's name. */
  readonly name: string;
  /** `app "auth" (appPort)`. */
  readonly by: string;
  /** What to write another port into. */
  readonly remedy: string;
  readonly path: readonly (string | number)[];
}

/** Every fixed port of a run file. */
export function portClaims(runFile: RunFile): readonly PortClaim[] {
  const ofApps = runFile.apps.flatMap((app, index) =>
    (Object.keys(APP_PORTS) as AppPort[]).map((key) => ({
      port: app[key] ?? 0,
      name: app.appID,
      by: `app "${app.appID}" (${key})`,
      remedy: `\`${key}\` in the run file, or ${APP_PORTS[key]}`,
      path: ['apps', index, key],
    })),
  );
  const ofProcesses = runFile.holdfast.processes.flatMap((entry, index) =>
    Object.entries(entry.ports ?? {}).map(([key, port]) => ({
      port,
      name: entry.name,
      by: `process "${entry.name}" (ports.${key})`,
      remedy: `\`ports.${key}\` in the run file`,
      path: ['holdfast', 'processes', index, 'ports', key],
    })),
  );
  return [...ofApps, ...ofProcesses].filter((claim) => claim.port > 0);
}

/** What entries of a run file say against each other. Empty when it can be run. */
export function checkRunFile(runFile: RunFile): readonly Finding[] {
  return [...checkNames(runFile), ...checkPorts(runFile), ...checkNeeds(runFile)];
}

function checkNames(runFile: RunFile): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const claim = (name: string, path: Finding['path'], rule: string, what: string) => {
    if (seen.has(name)) {
      findings.push({
        path,
        rule,
        message: `${what} "${name}" is there twice; names must differ.`,
      });
    }
    seen.add(name);
  };
  runFile.apps.forEach((app, index) => {
    if (!isAppId(app.appID)) {
      const path = ['apps', index, 'appID'];
      findings.push({ path, rule: 'bad-name', message: badName(app.appID, '`_` and `-`') });
    }
    claim(app.appID, ['apps', index, 'appID'], 'duplicate-app-id', 'appID');
    seen.add(sidecarName(app.appID));
  });
  runFile.holdfast.processes.forEach((entry, index) => {
    const path = ['holdfast', 'processes', index, 'name'];
    if (!NAME.test(entry.name)) {
      findings.push({ path, rule: 'bad-name', message: badName(entry.name, '`.`, `_` and `-`') });
    }
    claim(entry.name, path, 'duplicate-name', 'name');
    if (entry.command.length === 0) {
      findings.push({
        path,
        rule: 'no-command',
        message: `Process "${entry.name}" has no command.`,
      });
    }
  });
  return findings;
}

const NAME = /^[\w.-]{1,128}$/;

function badName(name: string, marks: string): string {
  return `"${name}" cannot be a name; use 1 to 128 letters, digits, ${marks}.`;
}

function checkPorts(runFile: RunFile): Finding[] {
  const first = new Map<number, PortClaim>();
  return portClaims(runFile).flatMap((claim) => {
    const other = first.get(claim.port);
    if (other === undefined) {
      first.set(claim.port, claim);
      return [];
    }
    const message = `Port ${claim.port} is asked for by ${other.by} and by ${claim.by}; give one of them another.`;
    return [{ path: claim.path, rule: 'duplicate-port', message }];
  });
}

/** Every need must be a name of the run, and nothing may wait for itself. */
function checkNeeds(runFile: RunFile): Finding[] {
  const needs = new Map<string, readonly string[]>();
  for (const entry of runFile.holdfast.processes) needs.set(entry.name, entry.needs ?? []);
  for (const app of runFile.apps) needs.set(app.appID, app.needs ?? []);
  const names = [...needs.keys(), ...runFile.apps.map((app) => sidecarName(app.appID))];

  const waitsFor = (name: string, target: string, seen = new Set<string>()): boolean =>
    (needs.get(name) ?? []).some((need) => {
      if (need === target) return true;
      if (seen.has(need)) return false;
      return waitsFor(need, target, seen.add(need));
    });
  const check = (name: string, list: readonly string[], path: Finding['path']): Finding[] => {
    const unknown = list.filter((need) => !names.includes(need));
    const findings = unknown.map((need) => ({
      path,
      rule: 'unknown-need',
      message: `"${name}" needs "${need}", which is not in this file${didYouMean(need, names) || '.'}`,
    }));
    if (waitsFor(name, name)) {
      const message = `"${name}" needs itself, directly or through others; it would never start.`;
      findings.push({ path, rule: 'circular-need', message });
    }
    return findings;
  };
  return [
    ...runFile.apps.flatMap((app, i) => check(app.appID, app.needs ?? [], ['apps', i, 'needs'])),
    ...runFile.holdfast.processes.flatMap((entry, i) =>
      check(entry.name, entry.needs ?? [], ['holdfast', 'processes', i, 'needs']),
    ),
  ];
}
