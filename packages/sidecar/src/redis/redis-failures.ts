import { connectFailure } from '../flow/go-words.ts';

type Failure = Error & { readonly code?: string };

/** The driver's ways to say that a command got no answer since the connection went or never came. */
export function isConnectionLoss(error: Error): boolean {
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    error.name === 'ClusterAllFailedError' ||
    /^(?:Connection is closed|Stream isn't writeable)/.test(error.message)
  );
}

/** `readTimeout` is over: of a command, or of all that was under way on its connection. */
export const isUnanswered = ({ message }: Error): boolean =>
  /^(?:Command timed out|Socket timeout)/.test(message);

/**
 * Redis did nothing, and would do it a moment later, or at another address: it is loading, or has become a
 * replica. The same that Dapr's driver asks again; a script says it with a dash before.
 */
export function isRefusedForNow(error: Error): boolean {
  return /(?:^|: -?)(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN) /.test(error.message);
}

/**
 * The connection leads to what is no master any more. Behind a name or an address that
 * moves, a new one leads to the next master; this one would never.
 */
export function isDemoted(error: Error): boolean {
  return /(?:^|: -?)(?:READONLY|MASTERDOWN) /.test(error.message);
}

/** What the driver threw, in the words of Dapr's; `last` is what was last said of the connection. */
export function redisWords(
  error: Error,
  last: Failure | undefined,
  address: string,
  answerMs: number,
): Error {
  if (isUnanswered(error)) return new Error(unanswered(address, answerMs), { cause: error });
  if (isConnectionLoss(error))
    return new Error(lossWords(last, address, answerMs), { cause: error });
  return (error as Failure).code === undefined
    ? error
    : new Error(connectFailure(error, address), { cause: error });
}

/** Why there is no connection: what the system said, or Redis before it hung up (a wrong password). */
function lossWords(why: Failure | undefined, address: string, answerMs: number): string {
  if (why === undefined) return 'EOF';
  if (isUnanswered(why)) return unanswered(address, answerMs);
  if (why.code === 'ECONNRESET') return `read tcp ${address}: read: connection reset by peer`;
  if (why.code === 'EPIPE') return `write tcp ${address}: write: broken pipe`;
  if (why.code !== undefined) return connectFailure(why, address);
  return why.name === 'ReplyError' ? why.message : 'EOF';
}

const unanswered = (address: string, answerMs: number): string =>
  `read tcp ${address}: i/o timeout: no answer within ${answerMs} ms (readTimeout)`;
