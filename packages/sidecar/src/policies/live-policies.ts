import {
  formatProblem,
  isBroken,
  type LoadedResiliency,
  loadResiliency,
  watchResiliency,
} from '@holdfast/config';
import type { Clock, Listener } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import { PolicyBook } from './policy-book.ts';
import { policyLines } from './policy-lines.ts';

export interface LivePoliciesOptions {
  readonly appId: string;
  readonly resourcesPaths: readonly string[];
  readonly strict: boolean;
  /** Changed files are noticed; without it, only `reload` reads them. */
  readonly watched: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: SidecarMetrics;
}

/** The policies of the files as they are now, kept up with the files. */
export interface LivePolicies {
  readonly book: PolicyBook;
  /** Of the Resiliency documents in force, for the metadata. */
  names(): readonly string[];
  /** Reads the files now. A broken file changes nothing. */
  reload(): Promise<void>;
  close(): void;
}

/** @throws ResiliencyFileError when a path cannot be read, or on any error where `strict`. */
export async function openPolicies(options: LivePoliciesOptions): Promise<LivePolicies> {
  const { appId, resourcesPaths, strict, watched, clock, log, metrics } = options;
  const loaded = await loadResiliency(resourcesPaths, { appId, strict });
  const lines = policyLines(log);
  const book = new PolicyBook(loaded.policies, {
    clock,
    report: (target) => both(metrics.listener(target), lines.ofApp(target)),
    reportComponent: (label, direction) =>
      both(metrics.componentListener(label, direction), lines.ofComponent(label, direction)),
    reportBuiltIn: lines.ofBuiltIn,
    appliedComponent: metrics.appliedComponent,
    forgotten: (target, pipeline) => metrics.forgotten(target, pipeline),
  });
  let current = loaded;

  const inForce = (next: LoadedResiliency): void => {
    // The line is daprd's, which operators look for.
    for (const { name } of next.documents) log.info(`Loading Resiliency configuration: ${name}`);
    for (const problem of next.problems) log.warn(withoutCredentials(formatProblem(problem)));
    current = next;
    const errors = next.problems.filter(({ severity }) => severity === 'error');
    for (const file of new Set(errors.map((error) => error.file))) {
      const { length } = errors.filter((error) => error.file === file);
      const name = next.documents[next.files.indexOf(file)]?.name ?? next.policies.name;
      // It begins as daprd's line does: whoever looks for that finds this.
      log.error(
        `${`Could not read resiliency policy ${name}`.trimEnd()}: what ${length === 1 ? 'the error above names' : `the ${length} errors above name`} is left out; the rest is in force.`,
      );
    }
    metrics.loaded(next.documents);
  };
  const change = (next: LoadedResiliency): void => {
    try {
      book.replace(next.policies);
    } catch (error) {
      // What was read makes no pipeline: the targets that have theirs keep it, and so does the sidecar.
      log.error(`The Resiliency files cannot be put in force: ${(error as Error).message}`);
      return;
    }
    inForce(next);
    log.info('Resiliency was read anew; circuits keep their state.', { files: next.files.length });
  };
  const broken = (problems: LoadedResiliency['problems']): void => {
    for (const problem of problems) log.error(withoutCredentials(formatProblem(problem)));
    log.error('The Resiliency files are broken: the policies stay as they were.');
  };
  inForce(loaded);
  const watching =
    !watched || resourcesPaths.length === 0
      ? undefined
      : watchResiliency(resourcesPaths, { appId, strict, current: loaded, clock }, change, broken);

  return {
    book,
    names: () => [...new Set(current.documents.map(({ name }) => name))],
    async reload() {
      const next = await loadResiliency(resourcesPaths, { appId, strict });
      if (next.problems.some(isBroken)) broken(next.problems);
      else change(next);
    },
    close: () => watching?.close(),
  };
}

const both =
  (counts: Listener | undefined, tells: Listener): Listener =>
  (event) => {
    counts?.(event);
    tells(event);
  };
