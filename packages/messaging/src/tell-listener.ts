/**
 * Tells a listener what happened. One that throws, or whose promise nobody waits for rejects, must decide
 * nothing and end nothing: what it was told of is so all the same, and there is nobody else to tell of it.
 */
export function tellListener<Heard>(
  listener: ((heard: Heard) => unknown) | undefined,
  heard: Heard,
): void {
  try {
    const returned = listener?.(heard);
    if (returned instanceof Promise) returned.catch(ignore);
  } catch {
    // As said above.
  }
}

function ignore(): void {}
