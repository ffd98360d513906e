import type { ApiCall, ErrorBody } from './api-call.ts';
import { errorInfo } from './api-error.ts';
import { decodeSegment } from './decode-segment.ts';

/** The APIs that need a component, and what daprd says when there is none. */
interface Absent {
  readonly methods: string;
  readonly path: RegExp;
  readonly status: number;
  readonly code: string;
  readonly message: (name: string) => string;
  /** Dapr's newer form of errors carries this. */
  readonly reason?: string;
  /** What its details say of the app that asked. @default nothing */
  readonly facts?: (appId: string) => Readonly<Record<string, string>> | null;
}

const NO_STATE = {
  status: 500,
  code: 'ERR_STATE_STORE_NOT_CONFIGURED',
  message: (name: string) => `state store ${name} is not configured`,
  reason: 'DAPR_STATE_NOT_CONFIGURED',
  facts: (appId: string) => ({ appID: appId }),
} as const;

const ABSENT: readonly Absent[] = [
  {
    methods: 'GET DELETE',
    path: /^\/v1\.0\/state\/([^/]+)\/[^/]+$/,
    ...NO_STATE,
  },
  {
    methods: 'POST PUT',
    path: /^\/v1\.0\/state\/([^/]+)(?:\/(?:bulk|transaction))?$/,
    ...NO_STATE,
  },
  {
    methods: 'POST PUT',
    path: /^\/v1\.0-alpha1\/state\/([^/]+)\/query$/,
    ...NO_STATE,
    // Of queries alone Dapr does not say who asked.
    facts: () => null,
  },
  {
    methods: 'POST PUT',
    path: /^\/v1\.0(?:\/publish|\/publish\/bulk|-alpha1\/publish\/bulk)\/([^/]+)\/.+$/,
    status: 404,
    code: 'ERR_PUBSUB_NOT_FOUND',
    message: (name) => `pubsub ${name} is not found`,
    reason: 'DAPR_PUBSUB_NOT_FOUND',
  },
  {
    methods: 'GET',
    path: /^\/v1\.0\/secrets\/([^/]+)\/[^/]+$/,
    status: 500,
    code: 'ERR_SECRET_STORES_NOT_CONFIGURED',
    message: () => 'secret store is not configured',
  },
  {
    methods: 'GET',
    path: /^\/v1\.0(?:-alpha1)?\/configuration\/([^/]+)(?:\/subscribe|\/[^/]+\/unsubscribe)?$/,
    status: 500,
    code: 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED',
    message: () => 'configuration stores not configured',
  },
];

/** Answers a call of an API that no component stands behind; false if it is none of these. */
export function notConfigured(call: ApiCall, path: string, appId: string): boolean {
  for (const api of ABSENT) {
    if (!api.methods.split(' ').includes(call.head.method)) continue;
    const match = api.path.exec(path);
    if (match === null) continue;
    const name = decodeSegment(match[1] ?? '');
    const error = { errorCode: api.code, message: api.message(name) };
    call.error(api.status, { ...error, ...details(api, appId) });
    return true;
  }
  return false;
}

function details({ facts, reason }: Absent, appId: string): Pick<ErrorBody, 'details'> {
  if (reason === undefined) return {};
  return { details: [errorInfo(reason, facts === undefined ? {} : facts(appId))] };
}
