/** What the client says where it had no connection that it could have sent anything on. */
const WITHOUT_CONNECTION =
  /^Connection to .* timed out\.$|^Connection closed while waiting for ready\.$|^Cannot get a connection: |^Connection pool is closed\.$|^Client closed while retrying /;

/** It says the same of a wrong password, which no second attempt makes right: its cause tells. */
const CONNECTION_FAILED = /^Connection to .* failed\.$/;
const UNREACHABLE =
  /^(?:EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTDOWN|EHOSTUNREACH|ENETDOWN|ENETUNREACH|ENOTFOUND|EPIPE|ETIMEDOUT)$/;

/** Where Kafka has answered that another broker is to be asked, or none yet: it wrote nothing. */
const NOT_NOW =
  /^(?:BROKER_NOT_AVAILABLE|COORDINATOR_LOAD_IN_PROGRESS|COORDINATOR_NOT_AVAILABLE|LEADER_NOT_AVAILABLE|NOT_COORDINATOR|NOT_ENOUGH_REPLICAS|NOT_LEADER_OR_FOLLOWER)$/;

/**
 * Whether nothing of a publication of so many messages can have been written: no attempt of the client had a
 * connection, or Kafka would not have it now. Several go to several brokers, and the client tells only of those
 * that failed; so with several it must have been before it sent any.
 */
export function isUnsent(error: unknown, messages: number): boolean {
  if (!(error instanceof Error)) return false;
  if (messages > 1 && error.message === 'Producing messages failed.') return false;
  return neverSent(error);
}

function neverSent(error: Error & { readonly apiId?: unknown }): boolean {
  if (WITHOUT_CONNECTION.test(error.message) || NOT_NOW.test(String(error.apiId))) return true;
  if (CONNECTION_FAILED.test(error.message)) {
    return UNREACHABLE.test((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
  }
  const attempts: unknown[] = error instanceof AggregateError ? error.errors : [];
  return attempts.length > 0 && attempts.every((each) => each instanceof Error && neverSent(each));
}
