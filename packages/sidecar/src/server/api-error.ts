/** What went wrong with a call of the API, as every protocol can say it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errorCode: string;
  /** Dapr's newer form of errors has these. */
  readonly details: readonly object[] | undefined;
  /** When it may be worth trying again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    errorCode: string,
    message: string,
    options: {
      readonly details?: readonly object[];
      readonly cause?: unknown;
      readonly retryAfterMs?: number | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.errorCode = errorCode;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** That of the details: `DAPR_STATE_NOT_FOUND`. */
  get reason(): string | undefined {
    return reasonOf(this.details);
  }
}

/** What an `ErrorInfo` among the details of an error says. */
export function reasonOf(details: readonly object[] | undefined): string | undefined {
  const info = details?.find((detail) => 'reason' in detail);
  return info === undefined ? undefined : String(info.reason);
}

const TYPES = 'type.googleapis.com/google.rpc';

export const errorInfo = (reason: string, metadata: object | null): object => ({
  '@type': `${TYPES}.ErrorInfo`,
  domain: 'dapr.io',
  metadata,
  reason,
});

export const resourceInfo = (type: string, name: string, description: string): object => ({
  '@type': `${TYPES}.ResourceInfo`,
  description,
  owner: '',
  resource_name: name,
  resource_type: type,
});

export const help = (description: string, url: string): object => ({
  '@type': `${TYPES}.Help`,
  links: [{ description, url }],
});

export const badRequest = (field: string, description: string): object => ({
  '@type': `${TYPES}.BadRequest`,
  field_violations: [{ ...(field === '' ? {} : { field }), description }],
});
