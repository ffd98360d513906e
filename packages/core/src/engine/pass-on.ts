/** What has given back a place that others wait for: an operation on its way up. */
export interface GivingBack {
  /** Lets them in; undefined where there is nobody to let in. */
  passOn: (() => void) | undefined;
}

/**
 * Has `letIn` run once `op` has stopped or ended. Not before: it may end hedges of its own on its way, and
 * one of those that waits would have the place, and begin, though the call has its answer.
 */
export function whenStopped(op: GivingBack, letIn: () => void): void {
  const { passOn: others } = op;
  op.passOn = () => {
    others?.();
    letIn();
  };
}

export function passOn(op: GivingBack): void {
  const { passOn: letIn } = op;
  op.passOn = undefined;
  letIn?.();
}
