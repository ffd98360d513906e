const { then } = Promise.prototype;

/**
 * A promise that calls back once and later, whatever it was made from; undefined
 * for what cannot be one. Native ones do; anything else with a `then` is
 * adopted, which is what `await` does.
 */
export function trusted(returned: unknown): Promise<unknown> | undefined {
  return returned instanceof Promise && returned.constructor === Promise && returned.then === then
    ? returned
    : adopted(returned);
}

function adopted(returned: unknown): Promise<unknown> | undefined {
  if (returned === null || (typeof returned !== 'object' && typeof returned !== 'function')) {
    return undefined;
  }
  return new Promise((resolve) => resolve(returned));
}
