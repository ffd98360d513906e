import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';

/** What the probes ask. */
export interface HealthState {
  readonly appId: string;
  /** What is not ready yet; empty when all is. */
  notReady(): readonly string[];
  /** Whether calls to others cannot be made yet, or no more; the own application is not asked. */
  notReadyOutbound(): boolean;
}

export function healthRoutes(state: HealthState): readonly Route[] {
  return [
    { method: 'GET', path: /^\/v1\.0\/healthz$/, handle: (call) => health(call, state) },
    {
      method: 'GET',
      path: /^\/v1\.0\/healthz\/outbound$/,
      handle: (call) => outbound(call, state),
    },
  ];
}

function health(call: ApiCall, state: HealthState): void {
  const waiting = state.notReady();
  if (waiting.length > 0) {
    const message = `dapr is not ready: [${waiting.join(' ')}]`;
    error(call, 'ERR_HEALTH_NOT_READY', message);
    return;
  }
  const asked = new URLSearchParams(call.head.query).get('appid');
  if (asked !== null && asked !== state.appId) {
    error(call, 'ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match');
    return;
  }
  call.empty(204);
}

function outbound(call: ApiCall, state: HealthState): void {
  if (state.notReadyOutbound()) {
    error(call, 'ERR_OUTBOUND_HEALTH_NOT_READY', 'dapr outbound is not ready');
    return;
  }
  call.empty(204);
}

function error(call: ApiCall, errorCode: string, message: string): void {
  call.error(500, { errorCode, message });
}
