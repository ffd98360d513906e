import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../grpc/protos/error_details_pb.ts';
import { errorInfo } from '../server/api-error.ts';
import { EtagMismatchError, InvalidEtagError } from '../state/state-store.ts';
import { PluggedError } from './plugged-error.ts';
import { WordedError } from './worded-error.ts';

/** Rejects with what a component's error means. */
export async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw told(ConnectError.from(error));
  }
}

function told(error: ConnectError): Error {
  return ofEtag(error) ?? ownForm(error) ?? new PluggedError(error);
}

/** A component says that an etag is the cause by a violation of the field of that name. */
function ofEtag(error: ConnectError): Error | undefined {
  const wrong = error.code === Code.InvalidArgument;
  if (!wrong && error.code !== Code.FailedPrecondition) return undefined;
  const [request] = error.findDetails(BadRequestSchema);
  const [violation, ...more] = request?.fieldViolations ?? [];
  if (violation?.field !== 'etag' || more.length > 0) return undefined;
  return wrong
    ? new InvalidEtagError(violation.description)
    : new EtagMismatchError(violation.description);
}

/** A component may say how its error is to be told: status, error code and reason. */
function ownForm(error: ConnectError): WordedError | undefined {
  const [info] = error.findDetails(ErrorInfoSchema);
  const status = Number(info?.metadata.http_code);
  if (info?.metadata.kit_error !== 'true' || !(status >= 100 && status <= 599)) return undefined;
  const { code, rawMessage } = error;
  const errorCode = info.metadata.tag ?? '';
  const detail = { ...errorInfo(info.reason, null), domain: info.domain };
  return new WordedError(rawMessage, { code, status, errorCode, detail }, error);
}
