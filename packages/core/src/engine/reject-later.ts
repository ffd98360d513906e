const SETTLED = /* @__PURE__ */ Promise.resolve();

/**
 * Rejected before the caller has seen it, a promise is first taken for one that
 * nobody handles. That costs more than the refusal itself; one microtask later
 * it is not so.
 */
export function rejectLater(reject: (error: unknown) => void, error: unknown): void {
  void SETTLED.then(() => reject(error));
}

/** In place of what a pooled operation has not been given yet. */
export function unset(): void {}
