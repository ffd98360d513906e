import { checkMethods } from '../check.ts';
import type { Pipeline, Wrappable } from '../pipeline.ts';

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
  checkMethods('protect.pipeline', pipeline ?? null, 'wrap');
  return <This, F extends (this: This, ...args: Parameters<F>) => Promise<unknown>>(
    method: F & Wrappable<F>,
    context: ClassMethodDecoratorContext<This, F>,
  ): F => {
    // A name in its place is how TypeScript's `experimentalDecorators` call a decorator.
    if (typeof context !== 'object') {
      throw new TypeError(
        'protect is no decorator for experimentalDecorators: leave that out, or use pipeline.wrap.',
      );
    }
    if (context.kind !== 'method') {
      throw new TypeError(`protect is for methods, not for a ${context.kind}.`);
    }
    return pipeline.wrap(method);
  };
}
