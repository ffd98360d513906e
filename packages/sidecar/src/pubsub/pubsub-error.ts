import type { OutboxRefusalCode, OutboxRefusedError } from '@holdfast/messaging';
import { ApiError, errorInfo, resourceInfo } from '../server/api-error.ts';

const resource = (pubsub: string, description: string) =>
  resourceInfo('pubsub', pubsub, description);

export function pubsubNotFound(pubsub: string): ApiError {
  return new ApiError(404, 'ERR_PUBSUB_NOT_FOUND', `pubsub ${pubsub} is not found`, {
    details: [errorInfo('DAPR_PUBSUB_NOT_FOUND', {})],
  });
}

export function pubsubUnnamed(): ApiError {
  const message = 'pubsub name is empty';
  return new ApiError(404, 'ERR_PUBSUB_EMPTY', message, {
    details: [resource('', message), errorInfo('DAPR_PUBSUB_NAME_EMPTY', {})],
  });
}

export function topicUnnamed(pubsub: string): ApiError {
  const message = `topic is empty in pubsub ${pubsub}`;
  return new ApiError(404, 'ERR_TOPIC_NAME_EMPTY', message, {
    details: [resource(pubsub, message), errorInfo('DAPR_PUBSUB_TOPIC_NAME_EMPTY', {})],
  });
}

export function notBoolean(pubsub: string, given: string, metadata: object): ApiError {
  const message = `failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is '${given}'`;
  return new ApiError(400, 'ERR_PUBSUB_REQUEST_METADATA', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_METADATA_DESERIALIZATION', metadata),
    ],
  });
}

export function topicForbidden(pubsub: string, topic: string, appId: string): ApiError {
  const message = `topic ${topic} is not allowed for app id ${appId}`;
  return new ApiError(403, 'ERR_PUBSUB_FORBIDDEN', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_FORBIDDEN', { error: message, topic }),
    ],
  });
}

export function publishFailed(
  pubsub: string,
  topic: string,
  why: string,
  cause: unknown,
): ApiError {
  const message = `error when publishing to topic ${topic} in pubsub ${pubsub}: ${why}`;
  return new ApiError(500, 'ERR_PUBSUB_PUBLISH_MESSAGE', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_PUBLISH_MESSAGE', { error: why, topic }),
    ],
    cause,
  });
}

/** `why` says what is wrong with the CloudEvent that the client made; as in Dapr it is in the details. */
export function notCloudEvent(pubsub: string, why: string, appId: string): ApiError {
  const message = 'cannot create cloudevent';
  return new ApiError(500, 'ERR_PUBSUB_CLOUD_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_CLOUD_EVENT_CREATION', { appID: appId, error: why }),
    ],
  });
}

export function eventUnreadable(
  pubsub: string,
  topic: string,
  why: string,
  appId: string,
): ApiError {
  const message = `error when marshalling cloud event envelope for topic ${topic} pubsub ${pubsub}: ${why}`;
  return new ApiError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_MARSHAL_ENVELOPE', { appID: appId, error: why }),
    ],
  });
}

export function entryIdsUnusable(pubsub: string, topic: string, appId: string): ApiError {
  const why = 'entryId is duplicated or not present for entry';
  const message = `error marshaling events to bytes for topic ${topic} pubsub ${pubsub}. error: ${why}`;
  return new ApiError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_MARSHAL_EVENTS', { appID: appId, error: why }),
    ],
  });
}

export function bulkUnreadable(
  pubsub: string,
  topic: string,
  why: string,
  appId: string,
): ApiError {
  const message = `error when unmarshaling the request for topic ${topic} pubsub ${pubsub}: ${why}`;
  return new ApiError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      errorInfo('DAPR_PUBSUB_UNMARSHAL_EVENTS', { appID: appId }),
    ],
  });
}

/** Ours, since Dapr has no outbox before its brokers: who asks again later may be served. */
const OUTBOX: Readonly<Record<OutboxRefusalCode, readonly [status: number, errorCode: string]>> = {
  OUTBOX_FULL: [429, 'ERR_PUBSUB_OUTBOX_FULL'],
  MESSAGE_TOO_LARGE: [413, 'ERR_PUBSUB_OUTBOX_TOO_LARGE'],
  OUTBOX_UNAVAILABLE: [503, 'ERR_PUBSUB_OUTBOX_UNAVAILABLE'],
  OUTBOX_CLOSED: [503, 'ERR_PUBSUB_OUTBOX_UNAVAILABLE'],
};

/** The event was not accepted; of a bulk publication none was. */
export function outboxRefused(pubsub: string, topic: string, cause: OutboxRefusedError): ApiError {
  const [status, errorCode] = OUTBOX[cause.code];
  const { retryAfterMs } = cause;
  const limits = 'the limits are outboxMaxMessages and outboxMaxBytes of the component';
  const why =
    cause.code === 'OUTBOX_FULL' || cause.code === 'MESSAGE_TOO_LARGE'
      ? `${cause.message} (${limits})`
      : cause.message;
  const message = `topic ${topic} in pubsub ${pubsub} is not published: ${why}`;
  return new ApiError(status, errorCode, message, {
    details: [
      resource(pubsub, message),
      errorInfo(errorCode.replace(/^ERR_/, 'HOLDFAST_'), { error: cause.message, topic }),
    ],
    cause,
    retryAfterMs,
  });
}
