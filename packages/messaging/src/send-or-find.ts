/** How messages are sent, and what it means where that fails. */
export interface Sending<One> {
  /** All of them or, as far as anybody knows, none. */
  send(messages: readonly One[]): Promise<void>;
  /** Whether the broker refuses what it was sent, for good; else it is nobody's message's fault. */
  isRefusal(error: unknown): boolean;
  /** In words, of the message that is refused. */
  why(error: unknown, message: One): string | Promise<string>;
}

/**
 * Sends messages together. A broker refuses them as a whole, for one that it will not have: then they
 * are sent one by one, to find the culprits, which are put among `rejected`. Rejects with any other failure.
 */
export async function sendOrFind<One extends { readonly id: string }>(
  messages: readonly One[],
  rejected: Map<string, string>,
  sending: Sending<One>,
): Promise<void> {
  try {
    await sending.send(messages);
  } catch (error) {
    if (!sending.isRefusal(error)) throw error;
    const [only] = messages;
    if (messages.length === 1 && only !== undefined) {
      rejected.set(only.id, await sending.why(error, only));
    } else for (const message of messages) await sendOrFind([message], rejected, sending);
  }
}
