import type { ServiceImpl } from '@connectrpc/connect';
import { formatTraceparent } from '@holdfast/core/trace';
import { BindingError } from '../bindings/binding.ts';
import type { BindingService } from '../bindings/binding-service.ts';
import { ApiError } from '../server/api-error.ts';
import { SPAN } from './call-guard.ts';
import type { Dapr } from './protos/dapr_pb.ts';
import { rpcError } from './rpc-error.ts';

/** Dapr's output bindings over gRPC. */
export function bindingRpcs(
  service: BindingService,
): Pick<ServiceImpl<typeof Dapr>, 'invokeBinding'> {
  return {
    async invokeBinding({ data, metadata, name, operation }, context) {
      const span = context.values.get(SPAN);
      const trace: [string, string][] = [];
      if (span !== undefined) trace.push(['traceparent', formatTraceparent(span)]);
      if (span?.state !== undefined) trace.push(['tracestate', span.state]);
      const baggage = context.requestHeader.get('baggage');
      if (baggage !== null) trace.push(['baggage', baggage]);
      try {
        const answer = await service.invoke(name, {
          operation,
          data: Buffer.from(data),
          metadata,
          trace,
        });
        if (answer === undefined) return {};
        tell(context.responseHeader, answer.metadata);
        return { data: answer.data, metadata: { ...answer.metadata } };
      } catch (error) {
        const failure = rpcError(error);
        const cause = error instanceof ApiError ? error.cause : undefined;
        // Headers, not trailers: that is where Dapr's clients look.
        if (cause instanceof BindingError) tell(context.responseHeader, cause.metadata);
        throw failure;
      }
    },
  };
}

/** Metadata of an answer, as HTTP clients find them in headers. */
function tell(headers: Headers, metadata: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[\w.-]+$/.test(name)) continue;
    headers.set(`metadata.${name}`, value.replaceAll(/[^\x20-\x7e]/g, '?'));
  }
}
