import { join } from 'node:path';
import type { AppProtocol } from '@holdfast/sidecar';
import { withTls } from '../flags/app-protocol.ts';
import type { AppEntry, LogDestination, RunFile, SharedSettings } from './run-file.ts';

/** One app with everything `common`, its folder and the defaults say about it. */
export interface AppSettings extends Omit<AppEntry, 'resourcesPath' | 'componentsPath'> {
  readonly resourcesPaths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly appProtocol: AppProtocol;
  readonly appChannelAddress: string;
  readonly daprdLogDestination: LogDestination;
  readonly appLogDestination: LogDestination;
}

/** What deciding needs to know of the file system. */
export interface Surroundings {
  exists(path: string): boolean;
  readonly homeDir: string;
}

/**
 * Applies Dapr's precedence. Resources: the app's own, then
 * `<appDir>/.dapr/resources`, then `common`'s, then `~/.dapr/components`;
 * configuration likewise. Of all other keys an app's word, also `false` and 0,
 * wins over `common`'s; of `env` it wins name by name.
 */
export function settleApp(runFile: RunFile, app: AppEntry, around: Surroundings): AppSettings {
  const { common } = runFile;
  const { resourcesPath: _one, componentsPath: _old, ...merged } = { ...common, ...app };
  const configFilePath = firstOf(
    [app.configFilePath, join(app.appDirPath, '.dapr', 'config.yaml'), common.configFilePath],
    join(around.homeDir, '.dapr', 'config.yaml'),
    around,
  );
  const { configFilePath: _unsettled, ...settled } = merged;
  return {
    ...settled,
    appID: app.appID,
    appDirPath: app.appDirPath,
    resourcesPaths: settleResources(common, app, around),
    ...(configFilePath === undefined ? {} : { configFilePath }),
    env: { ...common.env, ...app.env },
    appProtocol: withTls(merged.appProtocol ?? 'http', merged.appSSL ?? false),
    appChannelAddress: app.appChannelAddress ?? '127.0.0.1',
    daprdLogDestination: merged.daprdLogDestination ?? 'file',
    appLogDestination: merged.appLogDestination ?? 'fileAndConsole',
  };
}

function settleResources(
  common: SharedSettings,
  app: AppEntry,
  around: Surroundings,
): readonly string[] {
  const own = resourcesOf(app);
  if (own.length > 0) return own;
  const local = join(app.appDirPath, '.dapr', 'resources');
  if (around.exists(local)) return [local];
  const shared = resourcesOf(common);
  if (shared.length > 0) return shared;
  const users = join(around.homeDir, '.dapr', 'components');
  return around.exists(users) ? [users] : [];
}

function resourcesOf(settings: SharedSettings): readonly string[] {
  return [
    ...(settings.resourcesPaths ?? []),
    ...[settings.resourcesPath, settings.componentsPath].filter((path) => path !== undefined),
  ];
}

/** `[app's, in its folder, common's]`, then the user's; only the two that nobody wrote may be missing. */
function firstOf(
  [own, local, shared]: readonly [string | undefined, string, string | undefined],
  users: string,
  around: Surroundings,
): string | undefined {
  if (own !== undefined) return own;
  if (around.exists(local)) return local;
  return shared ?? (around.exists(users) ? users : undefined);
}
