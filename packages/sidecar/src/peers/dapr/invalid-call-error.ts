/** What a daprd sent is no call. */
export class InvalidCallError extends Error {
  readonly code = 'INVALID_CALL';
}
