/** What went wrong, as every protocol can say it. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly status: number;
  readonly errorCode: string;
  /** Dapr's newer form of errors has these. */
  readonly details: readonly object[] | undefined;

  constructor(
    status: number,
    errorCode: string,
    message: string,
    options: { readonly details?: readonly object[]; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.errorCode = errorCode;
    this.details = options.details;
  }
}

const TYPES = 'type.googleapis.com/google.rpc';

const info = (reason: string, metadata: object | null) => ({
  '@type': `${TYPES}.ErrorInfo`,
  domain: 'dapr.io',
  metadata,
  reason,
});

const resource = (store: string) => ({
  '@type': `${TYPES}.ResourceInfo`,
  description: '',
  owner: '',
  resource_name: store,
  resource_type: 'state',
});

export function storeNotFound(store: string, appId: string): StateError {
  return new StateError(400, 'ERR_STATE_STORE_NOT_FOUND', `state store ${store} is not found`, {
    details: [info('DAPR_STATE_NOT_FOUND', { appID: appId })],
  });
}

export function illegalKey(store: string, key: string): StateError {
  const message = `api error: code = InvalidArgument desc = input key/keyPrefix '${key}' can't contain '||'`;
  const violation = {
    '@type': `${TYPES}.BadRequest`,
    field_violations: [{ field: key, description: message }],
  };
  return new StateError(400, 'ERR_MALFORMED_REQUEST', message, {
    details: [violation, resource(store), info('DAPR_STATE_ILLEGAL_KEY', null)],
  });
}

export function queryUnsupported(store: string): StateError {
  const message = 'state store does not support querying';
  return new StateError(500, 'ERR_STATE_STORE_NOT_SUPPORTED', message, {
    details: [resource(store), info('DAPR_STATE_QUERYING_NOT_SUPPORTED', null)],
  });
}
