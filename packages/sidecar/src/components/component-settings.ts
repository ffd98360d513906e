import { isTrue } from './is-true.ts';

/** The metadata of a component, looked up: names in any letter case, as in Dapr. */
export class ComponentSettings {
  /** The component's name. */
  readonly component: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #given: readonly (readonly [string, string])[];
  /** Lower-case names that somebody has asked for. */
  readonly #asked = new Set<string>();

  constructor(component: string, values: Iterable<readonly [string, string]>) {
    this.component = component;
    this.#given = [...values];
    this.#values = new Map(this.#given.map(([name, value]) => [name.toLowerCase(), value]));
  }

  /** All of it, as written. */
  entries(): readonly (readonly [string, string])[] {
    for (const [name] of this.#given) this.#asked.add(name.toLowerCase());
    return this.#given;
  }

  text(name: string): string | undefined {
    const value = this.given(name);
    return value === '' ? undefined : value;
  }

  /**
   * An item that may be empty on purpose; undefined where it is not there.
   *
   * @throws Error for one that is there twice, in different letters.
   */
  given(name: string): string | undefined {
    const lower = name.toLowerCase();
    this.#asked.add(lower);
    this.#checkOnce(lower);
    return this.#values.get(lower);
  }

  /** Of one name in the same letters the last counts; of others nobody can say which is meant. The words are daprd's. */
  #checkOnce(lower: string): void {
    const spelled = this.#given.map(([name]) => name).filter((one) => one.toLowerCase() === lower);
    const [first, other] = new Set(spelled);
    if (other === undefined) return;
    throw new Error(
      `component ${this.component}: key ${lower} is duplicate in the metadata, as ${first} and as ${other}; leave one out`,
    );
  }

  /** @throws Error that names component and item. */
  required(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw new Error(`component ${this.component}: metadata ${name} is missing`);
  }

  /**
   * Several that count only together; undefined where one of them is missing. The others have no
   * effect then, and the log names them.
   */
  together<const Names extends readonly string[]>(
    ...names: Names
  ): { readonly [At in keyof Names]: string } | undefined {
    const all = names.every((name) => this.#values.get(name.toLowerCase()));
    if (!all) return undefined;
    return names.map((name) => this.text(name)!) as { readonly [At in keyof Names]: string };
  }

  /** One of these texts; whatever else stands there has no effect, and the log names it. */
  oneOf<const Text extends string>(name: string, texts: readonly Text[]): Text | undefined {
    const value = texts.find((text) => text === this.#values.get(name.toLowerCase()));
    if (value !== undefined) this.text(name);
    return value;
  }

  /** What nobody has asked for, and so has no effect; as written. */
  unasked(): readonly string[] {
    return this.#given
      .filter(([name, value]) => value !== '' && !this.#asked.has(name.toLowerCase()))
      .map(([name]) => (name === '' ? 'without a name' : name));
  }

  /** One of Dapr's truths; `byDefault` where nothing is said. */
  flag(name: string, byDefault = false): boolean {
    const text = this.text(name);
    return text === undefined ? byDefault : isTrue(text);
  }
}
