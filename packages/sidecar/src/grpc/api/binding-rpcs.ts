import type { ServiceImpl } from '@connectrpc/connect';
import { BindingError } from '../../bindings/binding.ts';
import type { BindingService } from '../../bindings/binding-service.ts';
import { ApiError } from '../../server/api-error.ts';
import { traceHeaders } from '../../trace/tracing.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import { rpcError } from '../status/rpc-error.ts';
import { SPAN } from './call-guard.ts';

/** Dapr's output bindings over gRPC. */
export function bindingRpcs(
  service: BindingService,
): Pick<ServiceImpl<typeof Dapr>, 'invokeBinding'> {
  return {
    async invokeBinding({ data, metadata, name, operation }, context) {
      const baggage = context.requestHeader.get('baggage');
      const trace = traceHeaders(context.values.get(SPAN), baggage);
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
