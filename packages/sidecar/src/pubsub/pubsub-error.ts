/** What went wrong with a publication, as every protocol can say it. */
export class PubSubError extends Error {
  override readonly name = 'PubSubError';
  readonly status: number;
  readonly errorCode: string;
  readonly details: readonly object[];

  constructor(
    status: number,
    errorCode: string,
    message: string,
    options: { readonly details: readonly object[]; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.errorCode = errorCode;
    this.details = options.details;
  }
}

const TYPES = 'type.googleapis.com/google.rpc';

const info = (reason: string, metadata: object) => ({
  '@type': `${TYPES}.ErrorInfo`,
  domain: 'dapr.io',
  metadata,
  reason,
});

const resource = (pubsub: string, description: string) => ({
  '@type': `${TYPES}.ResourceInfo`,
  description,
  owner: '',
  resource_name: pubsub,
  resource_type: 'pubsub',
});

export function pubsubNotFound(pubsub: string): PubSubError {
  return new PubSubError(404, 'ERR_PUBSUB_NOT_FOUND', `pubsub ${pubsub} is not found`, {
    details: [info('DAPR_PUBSUB_NOT_FOUND', {})],
  });
}

export function topicForbidden(pubsub: string, topic: string, appId: string): PubSubError {
  const message = `topic ${topic} is not allowed for app id ${appId}`;
  return new PubSubError(403, 'ERR_PUBSUB_FORBIDDEN', message, {
    details: [resource(pubsub, message), info('DAPR_PUBSUB_FORBIDDEN', { error: message, topic })],
  });
}

export function publishFailed(
  pubsub: string,
  topic: string,
  why: string,
  cause: unknown,
): PubSubError {
  const message = `error when publishing to topic ${topic} in pubsub ${pubsub}: ${why}`;
  return new PubSubError(500, 'ERR_PUBSUB_PUBLISH_MESSAGE', message, {
    details: [
      resource(pubsub, message),
      info('DAPR_PUBSUB_PUBLISH_MESSAGE', { error: why, topic }),
    ],
    cause,
  });
}

/** `why` says what is wrong with the CloudEvent that the client made; as in Dapr it is in the details. */
export function notCloudEvent(pubsub: string, why: string, appId: string): PubSubError {
  const message = 'cannot create cloudevent';
  return new PubSubError(500, 'ERR_PUBSUB_CLOUD_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      info('DAPR_PUBSUB_CLOUD_EVENT_CREATION', { appID: appId, error: why }),
    ],
  });
}

export function eventUnreadable(
  pubsub: string,
  topic: string,
  why: string,
  appId: string,
): PubSubError {
  const message = `error when marshalling cloud event envelope for topic ${topic} pubsub ${pubsub}: ${why}`;
  return new PubSubError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      info('DAPR_PUBSUB_MARSHAL_ENVELOPE', { appID: appId, error: why }),
    ],
  });
}

export function entryIdsUnusable(pubsub: string, topic: string, appId: string): PubSubError {
  const why = 'entryId is duplicated or not present for entry';
  const message = `error marshaling events to bytes for topic ${topic} pubsub ${pubsub}. error: ${why}`;
  return new PubSubError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [
      resource(pubsub, message),
      info('DAPR_PUBSUB_MARSHAL_EVENTS', { appID: appId, error: why }),
    ],
  });
}

export function bulkUnreadable(
  pubsub: string,
  topic: string,
  why: string,
  appId: string,
): PubSubError {
  const message = `error when unmarshaling the request for topic ${topic} pubsub ${pubsub}: ${why}`;
  return new PubSubError(400, 'ERR_PUBSUB_EVENTS_SER', message, {
    details: [resource(pubsub, message), info('DAPR_PUBSUB_UNMARSHAL_EVENTS', { appID: appId })],
  });
}
