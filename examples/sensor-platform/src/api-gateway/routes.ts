import type { HTTPMethods } from 'fastify';

/** A service behind the gateway. */
export interface Upstream {
  /** As errors and `/health` name it. */
  readonly name: 'auth' | 'sensor' | 'event' | 'event-sink';
  /** As its sidecar is named. */
  readonly app: string;
  readonly routes: readonly (readonly [method: HTTPMethods, path: string])[];
}

/** Which request goes where. What is not in here is answered 404 by the gateway. */
export const UPSTREAMS: readonly Upstream[] = [
  {
    name: 'auth',
    app: 'auth-service',
    routes: [
      ['POST', '/auth/token'],
      ['GET', '/.well-known/jwks.json'],
    ],
  },
  {
    name: 'sensor',
    app: 'sensor-service',
    routes: [
      ['POST', '/test/sensor/:type'],
      ['GET', '/test/:id'],
    ],
  },
  {
    name: 'event',
    app: 'event-service',
    routes: [
      ['GET', '/kafka/stats'],
      ['GET', '/events/stats'],
      ['GET', '/events/queued'],
      ['GET', '/events/dead'],
    ],
  },
  { name: 'event-sink', app: 'event-sink', routes: [['GET', '/events/delivered']] },
];
