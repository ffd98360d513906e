/** What is wrong with a text that should be JSON, in the words of Go's `encoding/json`. */
export class GoJsonError extends Error {
  override readonly name = 'GoJsonError';
}
