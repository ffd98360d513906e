/** What is drained of an unwanted body, so that its connection can be used again. */
const DRAINED_BYTES = 65_536;

/**
 * Gets rid of a response that nobody will read. A short body is read to its
 * end, which frees the connection for the next request; a long one is cancelled,
 * which closes the connection but does not wait for megabytes of error page.
 */
export async function discardResponse(response: Response): Promise<void> {
  // Who has begun to read the body has taken it over: there is nothing to get rid of.
  if (response.body === null || response.body.locked) return;
  const reader = response.body.getReader();
  try {
    for (let readBytes = 0; readBytes <= DRAINED_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      readBytes += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The connection broke while an answer was thrown away: there is nothing left to lose.
  }
}
