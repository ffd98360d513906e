import { digestSources, watchSources } from '@holdfast/config';
import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { AppProtocol } from '../app/app-channel.ts';
import { refuseDuplicates } from '../components/refuse-duplicates.ts';
import { type LoadedResources, loadResources } from './load-resources.ts';

export interface LiveResourcesOptions {
  readonly appId: string;
  readonly givenNamespace?: string;
  readonly resourcesPaths: readonly string[];
  readonly configPaths: readonly string[];
  readonly appProtocol?: AppProtocol;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The resources of the files, kept up with the files. */
export interface LiveResources {
  /** As they were when it was opened. */
  readonly first: LoadedResources;
  /** Changed files are noticed; else only `reload` reads them. */
  readonly watched: boolean;
  /** From now on `apply` is called with what the files hold when they change, or are read again; one call ends before the next begins. */
  follow(apply: (next: LoadedResources, before: LoadedResources) => Promise<void>): void;
  /** Reads the files now. A broken file changes nothing. */
  reload(): Promise<void>;
  close(): void;
}

/** @throws ConfigurationFileError for a Configuration that cannot be read. */
export async function openResources(options: LiveResourcesOptions): Promise<LiveResources> {
  const { clock, configPaths, log, resourcesPaths, variables } = options;
  const paths = [...resourcesPaths, ...configPaths];
  // Before they are read: a change since then is seen as one.
  const digest = await digestSources(paths);
  const first = await loadResources(options, variables);
  for (const what of [...first.problems, ...first.unknown]) log.warn(what);
  // As in Dapr: `features: [{ name: HotReload, enabled: false }]`.
  const watched = first.configuration.features.includes('HotReload');
  if (!watched) {
    log.info('HotReload is off in spec.features: changed files wait for SIGHUP or the next start.');
  }

  let current = first;
  let turn = Promise.resolve();
  let following: Parameters<LiveResources['follow']>[0] | undefined;
  let watching: ReturnType<typeof watchSources> | undefined;

  const look = async () => {
    let next: LoadedResources;
    try {
      next = await loadResources(options, variables);
    } catch (error) {
      // Of a Configuration; it names the file.
      log.error((error as Error).message);
      log.error('The resources stay as they were.');
      return;
    }
    if (next.problems.length > 0) {
      for (const problem of next.problems) log.error(problem);
      log.error('The resources are broken: they stay as they were.');
      return;
    }
    try {
      refuseDuplicates(next.components);
    } catch (error) {
      // Of which one is meant nobody knows, and there would be no next start.
      log.error((error as Error).message);
      log.error('The resources stay as they were.');
      return;
    }
    for (const what of next.unknown) if (!current.unknown.includes(what)) log.warn(what);
    const before = current;
    current = next;
    await following?.(next, before);
  };
  const inTurn = (): Promise<void> => {
    turn = turn.then(look).catch((error: Error) => {
      log.error(`The resources cannot be put in force: ${error.message}`);
    });
    return turn;
  };
  return {
    first,
    watched,
    follow(apply) {
      following = apply;
      if (watched && paths.length > 0)
        watching = watchSources(paths, { clock, digest }, () => void inTurn());
    },
    reload: inTurn,
    close: () => watching?.close(),
  };
}
