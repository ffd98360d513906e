import { componentRoute } from '../components/component-route.ts';
import { type BodyLimits, collectBody } from '../flow/request-body.ts';
import { isRecord } from '../resources/resource-files.ts';
import { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import type { LockRequest, LockService } from './lock-service.ts';
import type { UnlockOutcome } from './lock-store.ts';

/** Dapr's numbers. */
const STATUS: Readonly<Record<UnlockOutcome, number>> = {
  unlocked: 0,
  absent: 1,
  'of-another': 2,
};

/** `/v1.0-alpha1/lock/…` and `/unlock/…` over HTTP. */
export function lockRoutes(service: LockService, limits: BodyLimits): readonly Route[] {
  return [
    componentRoute('POST', /^\/v1\.0-alpha1\/lock\/([^/]+)$/, async (call, store) => {
      const request = lockRequest(await collectBody(call.req, limits));
      const success = await service.tryLock(store, request);
      call.json(200, JSON.stringify({ success }));
    }),
    componentRoute('POST', /^\/v1\.0-alpha1\/unlock\/([^/]+)$/, async (call, store) => {
      const request = lockRequest(await collectBody(call.req, limits));
      const outcome = await service.unlock(store, request);
      call.json(200, JSON.stringify({ status: STATUS[outcome] }));
    }),
  ];
}

/** As Go reads the JSON of a protobuf message: names in either form, numbers also as texts, nothing for nothing. */
function lockRequest(body: Buffer): LockRequest {
  const given = body.length === 0 ? {} : parse(body);
  if (!isRecord(given)) throw malformed('a JSON object is expected');
  return {
    resource: text(given, 'resourceId', 'resource_id'),
    owner: text(given, 'lockOwner', 'lock_owner'),
    expirySeconds: int32(given, 'expiryInSeconds', 'expiry_in_seconds'),
  };
}

function text(given: Record<string, unknown>, name: string, other: string): string {
  const value = given[name] ?? given[other] ?? '';
  if (typeof value === 'string') return value;
  throw malformed(`invalid value for string field ${name}: ${JSON.stringify(value)}`);
}

function int32(given: Record<string, unknown>, name: string, other: string): number {
  const value = given[name] ?? given[other] ?? 0;
  const number = typeof value === 'string' && JSON_NUMBER.test(value) ? Number(value) : value;
  if (typeof number === 'number' && number === (number | 0)) return number;
  throw malformed(`invalid value for int32 field ${name}: ${JSON.stringify(value)}`);
}

/** What may stand in a text is what may stand without one. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw malformed((error as Error).message);
  }
}

const malformed = (why: string) =>
  new ApiError(400, 'ERR_MALFORMED_REQUEST', `failed deserializing HTTP body: ${why}`);
