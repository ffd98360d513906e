import { Code } from '@connectrpc/connect';

/** gRPC's OK, which is no error and so not among connect's codes. */
export const OK = 0;

const TO_HTTP: Readonly<Record<number, number>> = {
  [OK]: 200,
  [Code.Canceled]: 408,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.Unauthenticated]: 401,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
};

const FROM_HTTP: Readonly<Record<number, Code>> = {
  400: Code.Internal,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  408: Code.Canceled,
  409: Code.AlreadyExists,
  429: Code.ResourceExhausted,
  500: Code.Unknown,
  501: Code.Unimplemented,
  503: Code.Unavailable,
  504: Code.DeadlineExceeded,
};

const NOT_RPC: Readonly<Record<number, Code>> = {
  400: Code.Internal,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.Unimplemented,
  429: Code.Unavailable,
  502: Code.Unavailable,
  503: Code.Unavailable,
  504: Code.Unavailable,
};

/** gRPC's table for an answer that is HTTP alone. Servers answer 404 for a method that they do not have. */
export const codeOfNoRpc = (status: number): Code => NOT_RPC[status] ?? Code.Unknown;

/** Dapr's table: what an HTTP client is told of a gRPC application. */
export const httpStatusOf = (code: number): number => TO_HTTP[code] ?? 500;

/** Dapr's table the other way, which is not its inverse; undefined where all went well. */
export function codeOfHttp(status: number): Code | undefined {
  if (status >= 200 && status < 300) return undefined;
  return FROM_HTTP[status] ?? Code.Unknown;
}

/** `NotFound` as Go, and so Dapr's metrics, write it; `OK` for 0. */
export const statusName = (code: number): string =>
  code === OK ? 'OK' : (Code[code] ?? 'Unknown');

const NAMES = Object.fromEntries(
  Object.entries(Code).map(([name, code]) => [name, code as Code]),
) as Readonly<Record<string, Code>>;

/** An error as Go words it: `rpc error: code = NotFound desc = …`; undefined where it is none. */
export function parseRpcError(text: string): { code: Code; message: string } | undefined {
  const match = /^rpc error: code = (\w+) desc = ([\s\S]*)$/.exec(text);
  const code = match === null ? undefined : NAMES[match[1]!];
  return code === undefined || typeof code !== 'number' ? undefined : { code, message: match![2]! };
}

/** As `grpc-message` has it: percent-encoded, but for spaces. */
export const escapedMessage = (text: string): string =>
  encodeURIComponent(text).replaceAll('%20', ' ');
