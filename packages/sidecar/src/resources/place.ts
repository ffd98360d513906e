/** Line and column of a path of keys, or of as much of it as there is. */
export type Locate = (
  path: readonly (string | number)[],
) => { line: number; col: number } | undefined;

/** Where a value stands, for messages: `config.yaml:12:7: spec.accessControl.policies[0].appId`. */
export class Place {
  readonly #file: string;
  readonly #path: readonly (string | number)[];
  readonly #locate: Locate;

  constructor(
    file: string,
    path: readonly (string | number)[] = [],
    locate: Locate = () => undefined,
  ) {
    this.#file = file;
    this.#path = path;
    this.#locate = locate;
  }

  /** Further in. */
  at(...keys: readonly (string | number)[]): Place {
    return new Place(this.#file, [...this.#path, ...keys], this.#locate);
  }

  toString(): string {
    const found = this.#locate(this.#path);
    const position = found === undefined ? '' : `:${found.line}:${found.col}`;
    const path = this.#path.reduce<string>(
      (text, key) => `${text}${typeof key === 'number' ? `[${key}]` : `.${key}`}`,
      '',
    );
    return `${this.#file}${position}: ${path.slice(1)}`;
  }
}
