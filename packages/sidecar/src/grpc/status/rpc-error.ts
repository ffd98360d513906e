import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { isPolicyError } from '@holdfast/core';
import { failureWords, refusalHeaders } from '../../invoke/invoke-error.ts';
import { PluggedError } from '../../pluggable/plugged-error.ts';
import { WordedError } from '../../pluggable/worded-error.ts';
import { ApiError, reasonOf } from '../../server/api-error.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  ResourceInfoSchema,
} from '../protos/error_details_pb.ts';
import { codeOfHttp } from './rpc-status.ts';

/** Codes of Dapr's errors where they do not follow from the status that HTTP clients get. */
const CODES: Readonly<Record<string, Code>> = {
  ERR_CONFIGURATION_SUBSCRIBE: Code.InvalidArgument,
  ERR_NOT_SUPPORTED_STATE_OPERATION: Code.Unimplemented,
  ERR_PUBSUB_CLOUD_EVENTS_SER: Code.InvalidArgument,
  ERR_PUBSUB_EMPTY: Code.InvalidArgument,
  ERR_PUBSUB_OUTBOX_TOO_LARGE: Code.InvalidArgument,
  ERR_TOPIC_NAME_EMPTY: Code.InvalidArgument,
};

function codeOf({ details, errorCode, status }: ApiError): Code {
  if (reasonOf(details) === 'DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED') return Code.Unimplemented;
  const known = CODES[errorCode];
  if (known !== undefined) return known;
  if (errorCode.endsWith('_NOT_CONFIGURED')) return Code.FailedPrecondition;
  if (errorCode.endsWith('_NOT_FOUND')) return Code.InvalidArgument;
  if (status === 409) return Code.Aborted;
  if (status === 400) return Code.InvalidArgument;
  return status === 500 ? Code.Internal : (codeOfHttp(status) ?? Code.Internal);
}

/** What a failed call of the API is to a gRPC client: Dapr's code, words and details. */
export function rpcError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const cause = error instanceof ApiError ? error.cause : undefined;
  if (cause instanceof WordedError) {
    return new ConnectError(cause.words, cause.code, undefined, detail(cause.detail), error);
  }
  if (!(error instanceof ApiError)) return new ConnectError(failureWords(error), Code.Unknown);
  return new ConnectError(
    withoutPrefix(error.message),
    codeOf(error),
    waitOf(error, refusalOf(error.cause)),
    (error.details ?? basicDetails(error)).flatMap(detail),
    error,
  );
}

/** What made a call fail, without the words and the code that the API has for it. */
export function causeError(error: ApiError): ConnectError | ApiError {
  const { cause } = error;
  if (cause instanceof WordedError) return error;
  const code = causeCode(cause);
  const words = cause instanceof PluggedError ? cause.words : error.message;
  return new ConnectError(words, code, refusalOf(cause), [], error);
}

function causeCode(cause: unknown): Code {
  if (cause instanceof PluggedError) return cause.code;
  // Go's gRPC knows its deadlines by themselves.
  const late = isPolicyError(cause) && failureWords(cause) === 'context deadline exceeded';
  return late ? Code.DeadlineExceeded : Code.Unknown;
}

/** Who refused, and when to come back, where a policy did: as metadata beside the error. */
export function refusalOf(cause: unknown): Headers {
  const metadata = new Headers();
  if (!isPolicyError(cause)) return metadata;
  const pairs = refusalHeaders(cause);
  for (let at = 0; at + 1 < pairs.length; at += 2) metadata.set(pairs[at]!, pairs[at + 1]!);
  return metadata;
}

function waitOf({ retryAfterMs }: ApiError, metadata: Headers): Headers {
  if (retryAfterMs !== undefined) {
    metadata.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  }
  return metadata;
}

/** Words that Dapr puts before a gRPC error where an HTTP client reads it. */
const withoutPrefix = (text: string): string => text.replace(/^api error: code = \w+ desc = /, '');

/** Errors of the older form carry their code over gRPC, but for those of secrets and locks. */
function basicDetails({ errorCode }: ApiError): readonly object[] {
  if (/SECRET|LOCK/.test(errorCode)) return [];
  return [{ '@type': '/google.rpc.ErrorInfo', reason: errorCode, domain: 'dapr.io', metadata: {} }];
}

/** A detail's JSON as the message that it is. */
function detail(json: object): OutgoingDetail[] {
  const given = json as Record<string, unknown>;
  const type = String(given['@type']);
  if (type.endsWith('ErrorInfo')) {
    const metadata = (given.metadata ?? {}) as Record<string, string>;
    const { reason, domain } = given as { reason: string; domain: string };
    return [outgoing(ErrorInfoSchema, { reason, domain, metadata })];
  }
  if (type.endsWith('ResourceInfo')) {
    const resourceType = String(given.resource_type);
    const resourceName = String(given.resource_name);
    const description = withoutPrefix(String(given.description));
    return [outgoing(ResourceInfoSchema, { resourceType, resourceName, description })];
  }
  if (type.endsWith('Help')) {
    const { links } = given as { links: { description: string; url: string }[] };
    return [outgoing(HelpSchema, { links })];
  }
  if (type.endsWith('BadRequest')) {
    const list = given.field_violations as readonly { field: string; description: string }[];
    const fieldViolations = list.map(({ field, description }) => ({
      field,
      description: withoutPrefix(description),
    }));
    return [outgoing(BadRequestSchema, { fieldViolations })];
  }
  return [];
}

type OutgoingDetail = Extract<ConnectError['details'][number], { readonly desc: DescMessage }>;

const outgoing = <T extends DescMessage>(desc: T, value: MessageInitShape<T>) =>
  ({ desc, value }) as OutgoingDetail;
