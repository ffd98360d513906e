/** Nobody answers at an address; unlike a wrong setting, that may pass. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code = 'CONNECT';
}
