/** The caller's async context (`AsyncLocalStorage` and the like), to continue its call in. */
export interface AsyncContext {
  runInAsyncScope(continuation: () => void): void;
}

type Capture = () => AsyncContext | undefined;

/**
 * Captures the async context this is called in; `undefined` where the runtime has none.
 *
 * A promise's reactions run in the context in which they were attached, so a call
 * keeps its context by itself, except where a timer or another call's end
 * continues it. `AsyncResource` is used because it costs a third of a bare
 * `await`, where `AsyncLocalStorage.snapshot` costs forty.
 */
export const captureContext: Capture = (): AsyncContext | undefined => {
  capture ??= findCapture();
  return capture();
};

/** Runs `continuation` in `context`, or just runs it. */
export function runIn(context: AsyncContext | undefined, continuation: () => void): void {
  if (context === undefined) continuation();
  else context.runInAsyncScope(continuation);
}

let capture: Capture | undefined;

interface HostProcess {
  getBuiltinModule?(id: string): { AsyncResource?: new (type: string, id: number) => AsyncContext };
}

/** Core runs in browsers too, so it asks the host rather than importing a `node:` module. */
function findCapture(): Capture {
  const host = (globalThis as { process?: HostProcess }).process;
  const AsyncResource = host?.getBuiltinModule?.('node:async_hooks')?.AsyncResource;
  if (AsyncResource === undefined) return () => undefined;
  // A number in place of options spares their parsing; 1 is the id of the root.
  return () => new AsyncResource('holdfast', 1);
}
