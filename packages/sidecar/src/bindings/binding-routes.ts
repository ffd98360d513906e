import { componentRoute } from '../components/component-route.ts';
import { type BodyLimits, collectBody } from '../flow/request-body.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import { toldMetadata } from '../server/told-metadata.ts';
import { traceHeaders } from '../trace/tracing.ts';
import { BindingError, type BindingRequest } from './binding.ts';
import { bindingBody } from './binding-body.ts';
import type { BindingService } from './binding-service.ts';

/** `/v1.0/bindings/…` over HTTP. */
export function bindingRoutes(service: BindingService, limits: BodyLimits): readonly Route[] {
  return ['POST', 'PUT'].map((method) =>
    componentRoute(method, /^\/v1\.0\/bindings\/([^/]+)$/, async (call, name) => {
      const request = requestOf(call, await collectBody(call.req, limits));
      try {
        const answer = await service.invoke(name, request);
        if (answer === undefined) call.empty(204);
        else call.bytes(200, answer.data, toldMetadata(answer.metadata));
      } catch (error) {
        // What the other side said beside its failure, as Dapr tells it.
        const { cause, errorCode, message, status } = error as ApiError;
        if (!(cause instanceof BindingError)) throw error;
        call.error(status, { errorCode, message }, toldMetadata(cause.metadata));
      }
    }),
  );
}

function requestOf({ head, span }: ApiCall, body: Buffer): BindingRequest {
  return { ...bindingBody(body), trace: traceHeaders(span, head.baggage) };
}
