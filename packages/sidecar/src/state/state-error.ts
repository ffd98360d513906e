import { WordedError } from '../pluggable/worded-error.ts';
import { ApiError, badRequest, errorInfo, help, resourceInfo } from '../server/api-error.ts';

const STORES_PAGE = 'https://docs.dapr.io/reference/components-reference/supported-state-stores/';

const resource = (store: string) => resourceInfo('state', store, '');

export function storeNotFound(store: string, appId: string | null): ApiError {
  return new ApiError(400, 'ERR_STATE_STORE_NOT_FOUND', `state store ${store} is not found`, {
    details: [errorInfo('DAPR_STATE_NOT_FOUND', appId === null ? null : { appID: appId })],
  });
}

export function storeNotConfigured(store: string, appId: string | null): ApiError {
  const message = `state store ${store} is not configured`;
  return new ApiError(500, 'ERR_STATE_STORE_NOT_CONFIGURED', message, {
    details: [errorInfo('DAPR_STATE_NOT_CONFIGURED', appId === null ? null : { appID: appId })],
  });
}

/** `field` is where it stands, as far as Dapr says it. */
export function illegalKey(store: string, key: string, field = key): ApiError {
  const message = `api error: code = InvalidArgument desc = input key/keyPrefix '${key}' can't contain '||'`;
  return new ApiError(400, 'ERR_MALFORMED_REQUEST', message, {
    details: [
      badRequest(field, message),
      resource(store),
      errorInfo('DAPR_STATE_ILLEGAL_KEY', null),
    ],
  });
}

export function transactionsUnsupported(store: string): ApiError {
  const message = `state store ${store} doesn't support transactions`;
  return new ApiError(500, 'ERR_STATE_STORE_NOT_SUPPORTED', message, {
    details: [
      resource(store),
      errorInfo('DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED', null),
      help('Check the list of state stores and the features they support', STORES_PAGE),
    ],
  });
}

export function transactionTooLarge(store: string, count: number, largest: number): ApiError {
  const message = `the transaction contains ${count} operations, which is more than what the state store supports: ${largest}`;
  const facts = { currentOpsTransaction: String(count), maxOpsPerTransaction: String(largest) };
  return new ApiError(400, 'ERR_STATE_STORE_TOO_MANY_TRANSACTIONS', message, {
    details: [resource(store), errorInfo('DAPR_STATE_TOO_MANY_TRANSACTIONS', facts)],
  });
}

export function queryUnsupported(store: string): ApiError {
  const message = 'state store does not support querying';
  return new ApiError(500, 'ERR_STATE_STORE_NOT_SUPPORTED', message, {
    details: [resource(store), errorInfo('DAPR_STATE_QUERYING_NOT_SUPPORTED', null)],
  });
}

export function queryFailed(store: string, why: string, cause: unknown): ApiError {
  if (cause instanceof WordedError) {
    const { detail, errorCode, status, words } = cause;
    return new ApiError(status, errorCode, words, { details: [detail], cause });
  }
  const message = `state store ${store} query failed: ${why}`;
  return new ApiError(500, 'ERR_STATE_QUERY', message, {
    details: [resource(store), errorInfo('DAPR_STATE_QUERY_FAILED', null)],
    cause,
  });
}
