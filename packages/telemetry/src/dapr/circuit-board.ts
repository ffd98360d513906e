import type { CircuitState } from '@holdfast/core';

/** Dapr's words for the state of a circuit. */
export type DaprCircuitStatus = 'closed' | 'half-open' | 'open' | 'unknown';

/** Our state in Dapr's words: a forced or disabled circuit counts as what it does to calls. */
export function daprStatus(state: CircuitState): DaprCircuitStatus {
  switch (state) {
    case 'open':
    case 'forced-open':
      return 'open';
    case 'half-open':
      return 'half-open';
    case 'closed':
    case 'forced-closed':
    case 'disabled':
    case 'observe':
      return 'closed';
  }
}

/**
 * Says in one word how the circuits of a target are.
 *
 * Circuits are per method, while Dapr's gauge is per application, so its methods
 * overwrite one another and the last to be called wins. Here the worst wins:
 * open before half-open before closed. An alert on `open` then fires when any
 * method is refused, and ends when none is.
 *
 * Only circuits that are not closed are remembered, so the size is bounded by
 * how many can be in trouble at once.
 */
export class CircuitBoard {
  readonly #troubled = new Map<string, Map<string, DaprCircuitStatus>>();
  #worst: DaprCircuitStatus = 'closed';

  /** `policy` tells the circuits of one pipeline apart, where it has several. */
  set(pipeline: string, policy: string, status: DaprCircuitStatus): void {
    const circuits = this.#troubled.get(pipeline) ?? new Map<string, DaprCircuitStatus>();
    if (status === 'closed') circuits.delete(policy);
    else circuits.set(policy, status);
    if (circuits.size > 0) this.#troubled.set(pipeline, circuits);
    else this.#troubled.delete(pipeline);
    this.#judge();
  }

  /** The pipeline no longer exists, and its circuits with it. */
  remove(pipeline: string): void {
    this.#troubled.delete(pipeline);
    this.#judge();
  }

  worst(): DaprCircuitStatus {
    return this.#worst;
  }

  #judge(): void {
    const all = [...this.#troubled.values()].flatMap((circuits) => [...circuits.values()]);
    if (all.includes('open')) this.#worst = 'open';
    else this.#worst = all.length > 0 ? 'half-open' : 'closed';
  }
}
