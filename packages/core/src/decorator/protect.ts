import type { Pipeline } from '../pipeline.ts';

/**
 * A decorator for methods (TC39, stage 3): each call goes through `pipeline`.
 *
 *     class Prices {
 *       @protect(pipeline('prices', standard()))
 *       async of(item: string): Promise<number> { … }
 *     }
 *
 * The method keeps its name, length, `this` and types. It must be asynchronous.
 */
export function protect(pipeline: Pipeline) {
  return <This, A extends unknown[], R>(
    method: (this: This, ...args: A) => Promise<R>,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: A) => Promise<R>>,
  ): ((this: This, ...args: A) => Promise<R>) => {
    if (context.kind !== 'method') {
      throw new TypeError(`protect is for methods, not for a ${context.kind}.`);
    }
    return pipeline.wrap(method);
  };
}
