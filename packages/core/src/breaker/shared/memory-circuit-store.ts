import { type Clock, systemClock } from '../../clock.ts';
import type { CircuitStore, NodeReport, SharedVerdict } from './circuit-store.ts';
import { exchange, newRecord, type SharedRecord } from './shared-record.ts';

/** Circuits that one store keeps; of more, the one least recently heard of is forgotten. */
const CIRCUIT_LIMIT = 10_000;

/** Shares circuits within one process: for tests, and for several pipelines to one dependency. */
export class MemoryCircuitStore implements CircuitStore {
  readonly #clock: Clock;
  readonly #records = new Map<string, SharedRecord>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  exchange(circuit: string, report: NodeReport): Promise<SharedVerdict> {
    const nowMs = this.#clock.now();
    const record = this.#records.get(circuit) ?? newRecord(nowMs);
    this.#records.delete(circuit);
    this.#records.set(circuit, record);
    if (this.#records.size > CIRCUIT_LIMIT) {
      this.#records.delete(this.#records.keys().next().value!);
    }
    return Promise.resolve(exchange(record, report, nowMs));
  }
}
