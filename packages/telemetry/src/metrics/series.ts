import type { Buckets } from './buckets.ts';
import { sampleLine } from './exposition.ts';

/** A number that only rises. */
export interface Counter {
  /** Adds `by`; what is negative or not a number is ignored, for a counter never falls. @default 1 */
  inc(by?: number): void;
}

/** A number that rises and falls. */
export interface Gauge {
  set(value: number): void;
  /** @default 1 */
  inc(by?: number): void;
}

/** Counts values by size. */
export interface Histogram {
  /** Takes about 5 ns. What is not a number is ignored: it would spoil the sum for ever. */
  observe(value: number): void;
}

/** What a family asks of its series at scrape time. */
export interface Series {
  render(name: string): string;
}

export class CounterSeries implements Counter, Series {
  readonly #labels: string;
  #value = 0;

  constructor(labels: string) {
    this.#labels = labels;
  }

  inc(by = 1): void {
    if (by >= 0) this.#value += by;
  }

  render(name: string): string {
    return sampleLine(name, this.#labels, this.#value);
  }
}

export class GaugeSeries implements Gauge, Series {
  readonly #labels: string;
  #value = 0;

  constructor(labels: string) {
    this.#labels = labels;
  }

  set(value: number): void {
    this.#value = value;
  }

  inc(by = 1): void {
    this.#value += by;
  }

  render(name: string): string {
    return sampleLine(name, this.#labels, this.#value);
  }
}

export class HistogramSeries implements Histogram, Series {
  readonly #labels: string;
  readonly #buckets: Buckets;
  /** A count per bucket, +Inf last, and after it the sum: one array, one cache line or two. */
  readonly #cells: Float64Array;

  constructor(labels: string, buckets: Buckets) {
    this.#labels = labels;
    this.#buckets = buckets;
    this.#cells = new Float64Array(buckets.upper.length + 2);
  }

  observe(value: number): void {
    if (Number.isNaN(value)) return;
    const cells = this.#cells;
    const bucket = this.#buckets.find(value);
    cells[bucket]! += 1;
    cells[cells.length - 1]! += value;
  }

  render(name: string): string {
    const comma = this.#labels === '' ? '' : ',';
    let count = 0;
    let text = '';
    for (const [i, bound] of [...this.#buckets.upper, '+Inf'].entries()) {
      count += this.#cells[i]!;
      text += `${name}_bucket{${withLe(this.#labels, comma, bound)}} ${count}\n`;
    }
    const sum = this.#cells[this.#cells.length - 1]!;
    return (
      text +
      sampleLine(`${name}_sum`, this.#labels, sum) +
      sampleLine(`${name}_count`, this.#labels, count)
    );
  }
}

/** OpenCensus puts `le` last whatever the alphabet says; parsers do not mind, and diffs stay small. */
function withLe(labels: string, comma: string, bound: number | string): string {
  return `${labels}${comma}le="${bound}"`;
}

/** A counter whose series appears with its first count: what never happened is not shown. */
export function onceCounted(series: () => Counter): Counter {
  let counter: Counter | undefined;
  return {
    inc(by) {
      counter ??= series();
      counter.inc(by);
    },
  };
}
