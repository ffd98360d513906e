import type { Case } from '../makes/case.ts';
import { asked, intoField, malformed, NO_APP } from './asked.ts';
import { error } from './state.ts';

/** Paths that are not quite those of an API. */
export const PATHS: readonly Case<'caller'>[] = [
  asked('a key with a slash after it', ['GET', '/v1.0/state/memory/none/'], 204),
  asked('two slashes before a key', ['GET', '/v1.0/state/memory//none'], 204),
  asked('a dot in place of a key', ['POST', '/v1.0/state/memory/.', '[]'], 204),
  asked('two dots in place of a key', ['GET', '/v1.0/state/memory/..'], 404, NO_APP),
  asked('two dots on the way', ['GET', '/v1.0/state/x/../memory/none'], 204),
  asked('a key of two segments', ['GET', '/v1.0/state/memory/a/b'], 404, NO_APP),
  asked('a key that is no UTF-8', ['GET', '/v1.0/state/memory/%ff'], 204),
  asked('a query in the stable API', ['POST', '/v1.0/state/memory/query', '{}'], 404, NO_APP),
  asked(
    'bulk of no store',
    ['POST', '/v1.0/state//bulk', '{}'],
    400,
    /state store bulk is not found/,
  ),
  asked('an event in the alpha API', ['POST', '/v1.0-alpha1/publish/broker/t', '1'], 404, NO_APP),
  asked('no topic', ['POST', '/v1.0/publish/broker//', '1'], 404, NO_APP),
  asked('a configuration that is neither', ['GET', '/v1.0/configuration/x/y'], 404, NO_APP),
  asked(
    'a lock that is given back, where there are none',
    ['POST', '/v1.0-alpha1/unlock/x', '{}'],
    500,
    JSON.stringify(error('ERR_LOCK_STORE_NOT_CONFIGURED', 'lock store is not configured')),
  ),
  asked(
    'a lock that is asked for wrongly, where there are none',
    ['POST', '/v1.0-alpha1/lock/x', '{}'],
    400,
    malformed('ExpiryInSeconds is not positive in lock store x'),
  ),
  {
    ...asked(
      'a query of an unknown store',
      ['POST', '/v1.0-alpha1/state/nowhere/query', '{}'],
      400,
      /"metadata":null,"reason":"DAPR_STATE_NOT_FOUND"/,
    ),
  },
];

const unread = (why: string) =>
  new RegExp(
    `"message":"error when unmarshaling the request for topic t pubsub broker: ${why.replaceAll(/[.[\]()]/g, '\\$&')}"`,
  );
const unpublished = (why: string) =>
  new RegExp(
    `"message":"error when marshalling cloud event envelope for topic t pubsub broker: error: ${why}"`,
  );
const bulkOf = (name: string, body: string, status: number, answer: string | RegExp = '') =>
  asked(`bulk, ${name}`, ['POST', '/v1.0/publish/bulk/broker/t', body], status, answer);
const entry = (more: object) =>
  JSON.stringify([{ entryId: '1', event: 'e', contentType: 'text/plain', ...more }]);
const ofEntry = (kind: string, field: string, type: string) =>
  unread(intoField(kind, `bulkPublishMessageEntry.${field}`, type));

export const BULK_PUBLICATIONS: readonly Case<'caller'>[] = [
  bulkOf('nothing', '', 400, unread('EOF')),
  bulkOf('null', 'null', 204),
  bulkOf(
    'what is no JSON',
    'bad',
    400,
    unread("invalid character 'b' looking for beginning of value"),
  ),
  bulkOf(
    'no list',
    '{}',
    400,
    unread('json: cannot unmarshal object into Go value of type []http.bulkPublishMessageEntry'),
  ),
  bulkOf(
    'a number in the list',
    '[1]',
    400,
    unread('json: cannot unmarshal number into Go value of type http.bulkPublishMessageEntry'),
  ),
  bulkOf(
    'an id that is a number',
    entry({ entryId: 5 }),
    400,
    ofEntry('number', 'entryId', 'string'),
  ),
  bulkOf(
    'a content type that is a number',
    entry({ contentType: 5 }),
    400,
    ofEntry('number', 'contentType', 'string'),
  ),
  bulkOf(
    'metadata with numbers',
    entry({ metadata: { x: 1 } }),
    400,
    ofEntry('number', 'metadata', 'string'),
  ),
  bulkOf(
    'metadata that are a list',
    entry({ metadata: [] }),
    400,
    ofEntry('array', 'metadata', 'map[string]string'),
  ),
  bulkOf(
    'bytes that are no Base64',
    entry({ contentType: 'application/octet-stream', event: 'not base 64!' }),
    400,
    unpublished(
      'unable to decode base64 application/octect-stream data: illegal base64 data at input byte 3',
    ),
  ),
  bulkOf(
    'a content type that says nothing of its form',
    entry({ contentType: 'image/png' }),
    400,
    unpublished('mismatch between contentType and event'),
  ),
  bulkOf(
    'names in any letter case',
    '[{"ENTRYID":"1","EVENT":"e","CONTENTTYPE":"text/plain"}]',
    204,
  ),
  bulkOf('what follows the list', `${entry({})} more`, 204),
];
