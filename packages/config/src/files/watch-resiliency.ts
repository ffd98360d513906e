import type { Problem } from '../problems/problem.ts';
import { assemble, isUsable, type LoadedResiliency, type LoadOptions } from './load-resiliency.ts';
import { type Watching, type WatchSourcesOptions, watchSources } from './watch-sources.ts';

export interface WatchOptions extends LoadOptions, Omit<WatchSourcesOptions, 'digest'> {
  /** What is in force now; a change since it was loaded is then not missed. @default as the disk is */
  readonly current?: LoadedResiliency;
}

/**
 * Reads the files again whenever their content changes. Either `onChange` or
 * `onBroken` is called, once per content. After `onBroken` keep what you have:
 * the files are not usable as they are.
 */
export function watchResiliency(
  paths: readonly string[],
  options: WatchOptions,
  onChange: (loaded: LoadedResiliency) => void,
  onBroken: (problems: readonly Problem[]) => void,
): Watching {
  return watchSources(paths, { ...options, digest: options.current?.digest }, (sources) => {
    const loaded = assemble(sources, options);
    if (isUsable(loaded, options)) onChange(loaded);
    else onBroken(loaded.problems);
  });
}
