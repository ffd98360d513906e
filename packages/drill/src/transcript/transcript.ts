import type { Clock } from '@holdfast/core';
import type { Step } from './step.ts';
import { stepLines } from './step-lines.ts';

/** What happened so far, shown as it happens and kept for the report. */
export interface Transcript {
  readonly steps: readonly Step[];

  /** Keeps a step with the time on it, and prints it. */
  readonly note: (step: WithoutTime<Step>) => void;
}

/** Distributes over the union, which `Omit` alone does not. */
export type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;

/** Begins a transcript; its time begins now. */
export function createTranscript(clock: Clock, print: (line: string) => void): Transcript {
  const startedMs = clock.now();
  const steps: Step[] = [];
  return {
    steps,
    note(step) {
      const noted: Step = { ...step, atMs: clock.now() - startedMs };
      steps.push(noted);
      for (const line of stepLines(noted)) print(line);
    },
  };
}
