import { familyHeader, labelText } from './exposition.ts';
import type { Series } from './series.ts';

/** The metrics of one name, told apart by their labels. */
export interface Family<Child> {
  readonly name: string;
  readonly labelNames: readonly string[];

  /**
   * The series with these label values, in the order of `labelNames`; an empty
   * value leaves its label out. Keep what it returns: finding it again costs a
   * string, using it costs nanoseconds.
   *
   * Once the family holds its limit of series, every new combination is
   * answered with one and the same series, whose labels all say `overflow`.
   */
  labels(...values: readonly string[]): Child;
}

/** The value of every label of the series that stands for those over the limit. */
export const OVERFLOW: string = 'overflow';

/**
 * What becomes of a label's values before they are counted; undefined where they stay as they are.
 * `metric` is a family's own name, without `_bucket`, `_sum` and `_count`.
 */
export type Relabel = (metric: string, label: string) => ((value: string) => string) | undefined;

export interface FamilyOptions<Child> {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labelNames: readonly string[];
  readonly maxSeries: number;
  readonly create: (labels: string) => Child;
  readonly relabel: Relabel;
  /** Called with each request for a series that the limit refused. */
  readonly onOverflow: () => void;
}

export class SeriesFamily<Child extends Series> implements Family<Child> {
  readonly name: string;
  readonly kind: FamilyOptions<Child>['kind'];
  readonly labelNames: readonly string[];
  readonly #options: FamilyOptions<Child>;
  readonly #series = new Map<string, Child>();
  /** By label; undefined where every value stays as it is. */
  readonly #rewrite: readonly (((value: string) => string) | undefined)[] | undefined;
  #overflow: Child | undefined;

  constructor(options: FamilyOptions<Child>) {
    checkNames(options.name, options.labelNames);
    this.name = options.name;
    this.kind = options.kind;
    this.labelNames = options.labelNames;
    this.#options = options;
    const rewrite = options.labelNames.map((label) => options.relabel(options.name, label));
    this.#rewrite = rewrite.some((one) => one !== undefined) ? rewrite : undefined;
    // A metric without labels has one series from the start, so that it reads 0 and not absent.
    if (options.labelNames.length === 0) this.labels();
  }

  labels(...values: readonly string[]): Child {
    if (values.length !== this.labelNames.length) {
      throw new RangeError(
        `${this.name} has ${this.labelNames.length} labels (${this.labelNames.join(', ')}), not ${values.length}.`,
      );
    }
    const text = labelText(this.labelNames, this.#rewritten(values));
    const known = this.#series.get(text);
    if (known !== undefined) return known;
    if (this.#series.size >= this.#options.maxSeries) return this.#overflowing();
    const created = this.#options.create(text);
    this.#series.set(text, created);
    return created;
  }

  #rewritten(values: readonly string[]): readonly string[] {
    const rewrite = this.#rewrite;
    if (rewrite === undefined) return values;
    return values.map((value, at) => (value === '' ? '' : (rewrite[at]?.(value) ?? value)));
  }

  #overflowing(): Child {
    this.#options.onOverflow();
    const text = labelText(
      this.labelNames,
      this.labelNames.map(() => OVERFLOW),
    );
    const known = this.#series.get(text);
    if (known !== undefined) return known;
    this.#overflow ??= this.#options.create(text);
    return this.#overflow;
  }

  render(): string {
    return familyHeader(this.name, this.#options.help, this.kind) + this.samples(this.name);
  }

  /** The samples alone, under this name or another. */
  samples(name: string): string {
    let text = '';
    for (const series of this.#series.values()) text += series.render(name);
    if (this.#overflow !== undefined) text += this.#overflow.render(name);
    return text;
  }
}

/** Throws a `RangeError` that names the metric and the rule. */
export function checkNames(name: string, labelNames: readonly string[]): void {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
    throw new RangeError(`A metric's name must match [a-zA-Z_:][a-zA-Z0-9_:]*, not "${name}".`);
  }
  for (const label of labelNames) {
    if (!/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label === 'le') {
      throw new RangeError(
        `A label of ${name} must match [a-zA-Z_][a-zA-Z0-9_]* and be neither "le" nor start with "__", not "${label}".`,
      );
    }
  }
  if (new Set(labelNames).size !== labelNames.length) {
    throw new RangeError(`${name} has a label twice: ${labelNames.join(', ')}.`);
  }
}
