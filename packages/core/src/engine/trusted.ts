const { then } = Promise.prototype;

/**
 * A promise that calls back once and later, whatever it was made from. Native
 * ones do; anything else with a `then` is adopted, which is what `await` does.
 */
export function trusted(returned: object): Promise<unknown> {
  return returned instanceof Promise && returned.constructor === Promise && returned.then === then
    ? returned
    : new Promise((resolve) => resolve(returned));
}
