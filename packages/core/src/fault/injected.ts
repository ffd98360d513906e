/** On every copy of this package the same. */
const MARK = /* @__PURE__ */ Symbol.for('holdfast.injected-fault');

/** Whether `error` was put in by a `fault` policy, of whichever copy of this package. */
export const isInjectedFault = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && MARK in error;

/** Marks an error as put in, where it can be marked; nobody who only looks at it sees that. */
export function markInjected(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && Object.isExtensible(error)) {
    Object.defineProperty(error, MARK, { value: true, configurable: true });
  }
  return error;
}

/** What a broken connection looks like in Node: the default of `fault({ inject: 'error' })`. */
export function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}
