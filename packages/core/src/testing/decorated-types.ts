import { pipeline, protect } from '@holdfast/core';

// Only `tsc` reads this: an error that is expected and does not come is one.
const p = pipeline('types', [], { registry: undefined });

/** What `@protect` takes, and what it refuses. */
export class Decorated {
  @protect(p)
  async method(item: string, count = 1): Promise<number> {
    return item.length * count;
  }

  @protect(p)
  static async ofTheClass(): Promise<void> {}

  @protect(p)
  async #hidden(): Promise<string> {
    return 'private';
  }

  /** Decorating it has not changed its type. */
  async callAll(): Promise<readonly [number, string, number]> {
    // @ts-expect-error a number is no item
    void this.method(5);
    await Decorated.ofTheClass();
    return [await this.method('tea'), await this.#hidden(), await this.generic(5)];
  }

  @protect(p)
  async generic<T>(value: T): Promise<T> {
    return value;
  }

  // @ts-expect-error it would have to become asynchronous, and its callers with it
  @protect(p)
  synchronous(): number {
    return 1;
  }

  // @ts-expect-error a generator is no call with one end
  @protect(p)
  async *generator(): AsyncGenerator<number> {
    yield 1;
  }

  // @ts-expect-error a field is no method
  @protect(p)
  field = async () => 1;

  // @ts-expect-error a getter is no method
  @protect(p)
  get getter(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error it takes a pipeline
  @protect({})
  async unprotected(): Promise<void> {}
}

// @ts-expect-error a class is no method
@protect(p)
export class DecoratedClass {}
