/** Nobody answers at an address; unlike a wrong setting, that may pass. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'UNREACHABLE';
}
