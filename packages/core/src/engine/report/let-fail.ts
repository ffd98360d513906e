/**
 * For what a listener of the caller's returned: an asynchronous one returns a promise that nobody
 * waits for, and its failure would end the process.
 */
export function letFail(returned: unknown): void {
  (returned as PromiseLike<unknown> | undefined)?.then?.(undefined, ignore);
}

function ignore(): void {}
