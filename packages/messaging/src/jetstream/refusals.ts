/** What JetStream says of a message, or of what we ask for, and is right about. */
export type Refusal =
  | { readonly kind: 'rejected'; readonly why: string }
  | { readonly kind: 'postponed'; readonly why: string };

/** By the code in JetStream's own errors. */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  10023: { kind: 'postponed', why: 'the server has no room for it now' },
  10047: { kind: 'postponed', why: 'the server has no room for it now (max_file_store)' },
  10077: { kind: 'postponed', why: 'the stream is full' },
};

/** Undefined where it is an outage: nothing is known of the message. */
export function refusalOf(error: unknown): Refusal | undefined {
  const code = apiCode(error);
  if (code === undefined) return undefined;
  // 10077 stands for whatever the store said; some of that is no matter of space.
  if (code === 10077 && !/maximum|exceeded/i.test((error as Error).message)) return undefined;
  return REFUSALS[code];
}

/** Larger than its `max_msg_size`; how much that is, it does not say. */
export const isTooLargeForStream = (error: unknown): boolean => apiCode(error) === 10_054;

/** The code of an error that JetStream itself answered. */
export function apiCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'number' && code >= 10_000 ? code : undefined;
}

export const STREAM_NOT_FOUND = 10_059;
export const STREAM_NAME_IN_USE = 10_058;
export const CONSUMER_NOT_FOUND = 10_014;
