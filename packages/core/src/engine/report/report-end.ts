import type { Outcome } from '../../events.ts';
import type { StageWorld } from '../stage.ts';
import type { Report } from './reporter.ts';

type End =
  | { readonly type: 'attempt'; readonly attempt: number; readonly outcome: Outcome }
  | {
      readonly type: 'call';
      readonly attempts: number;
      readonly degraded: boolean;
      readonly outcome: Outcome;
    };

/** Reports the end of an attempt or a call that began at `beganMs`. */
export function reportEnd(
  { clock, pipeline, reporter }: StageWorld,
  call: number,
  beganMs: number,
  end: End,
  error: unknown,
): void {
  const report: Report = { ...end, policy: pipeline, durationMs: clock.now() - beganMs };
  reporter.report(call, end.outcome === 'success' ? report : { ...report, error });
}
