/** The metadata of a component, looked up: names in any letter case, as in Dapr. */
export class ComponentSettings {
  /** The component's name. */
  readonly component: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #given: readonly (readonly [string, string])[];

  constructor(component: string, values: Iterable<readonly [string, string]>) {
    this.component = component;
    this.#given = [...values];
    this.#values = new Map(this.#given.map(([name, value]) => [name.toLowerCase(), value]));
  }

  /** All of it, as written. */
  entries(): readonly (readonly [string, string])[] {
    return this.#given;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name.toLowerCase());
    return value === undefined || value === '' ? undefined : value;
  }

  /** @throws Error that names component and item. */
  required(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw new Error(`component ${this.component}: metadata ${name} is missing`);
  }

  /** Dapr's truths: y, yes, true, t, on, 1. */
  flag(name: string): boolean {
    return /^(y|yes|true|t|on|1)$/i.test(this.text(name) ?? '');
  }
}
