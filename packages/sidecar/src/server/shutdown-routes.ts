import type { Route } from './api-routes.ts';

/** `POST /v1.0/shutdown`: answered first, obeyed afterwards. */
export function shutdownRoutes(stop: (force: boolean) => void): readonly Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1\.0\/shutdown$/,
      handle(call) {
        const force = call.req.headers['dapr-force-shutdown'] === 'true';
        call.res.once('finish', () => stop(force));
        call.empty(204);
      },
    },
  ];
}
