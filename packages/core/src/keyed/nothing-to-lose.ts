import type { PipelineSnapshot } from '../pipeline.ts';

/** Nobody would miss it: no call is in flight, and no circuit has anything to remember. */
export const isIdle = (snapshot: PipelineSnapshot): boolean =>
  every(snapshot, ({ state }) => state === 'closed');

/**
 * As `isIdle`, after so long a rest that failures of before say nothing any more:
 * only a circuit that still refuses, or that somebody has forced, is kept.
 */
export const isSpent = (snapshot: PipelineSnapshot): boolean =>
  every(
    snapshot,
    ({ retryAfterMs, expiresInMs }) => retryAfterMs === 0 && expiresInMs === undefined,
  );

type Circuit = NonNullable<PipelineSnapshot['policies'][number]['circuit']>;

const every = ({ inFlight, policies }: PipelineSnapshot, holds: (circuit: Circuit) => boolean) =>
  inFlight === 0 && policies.every(({ circuit }) => circuit === undefined || holds(circuit));
