import type { LoadSummary } from '../load/load.ts';

/** One thing that happened in a drill, as data; `stepLines` says it in words. `atMs` counts from the drill's start. */
export type Step = { readonly atMs: number } & (
  | { readonly kind: 'said'; readonly text: string }
  | {
      readonly kind: 'requested';
      readonly curl: readonly string[];
      readonly status: number;
      /** The answer's body, shortened and without secrets; or why there was none. */
      readonly answer: string;
      readonly tookMs: number;
    }
  | { readonly kind: 'broke'; readonly how: string; readonly detail: string }
  | { readonly kind: 'mended'; readonly how: string; readonly problem?: string }
  | {
      readonly kind: 'waited';
      readonly sentence: string;
      readonly ok: boolean;
      readonly tookMs: number;
      /** What was missing at the last look. */
      readonly missing?: string;
    }
  | {
      readonly kind: 'checked';
      readonly sentence: string;
      readonly ok: boolean;
      readonly seen?: string;
    }
  | { readonly kind: 'loaded'; readonly what: string; readonly summary: LoadSummary }
  | { readonly kind: 'recovered'; readonly goals: Readonly<Record<string, number>> }
  | { readonly kind: 'failed'; readonly problem: string }
);

/** Whether this step alone is reason enough for a bad verdict. */
export function isBad(step: Step): boolean {
  switch (step.kind) {
    case 'checked':
    case 'waited':
      return !step.ok;
    case 'failed':
      return true;
    case 'mended':
      return step.problem !== undefined;
    case 'said':
    case 'requested':
    case 'broke':
    case 'loaded':
    case 'recovered':
      return false;
  }
}
