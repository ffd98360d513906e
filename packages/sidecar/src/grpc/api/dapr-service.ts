import type { ServiceImpl } from '@connectrpc/connect';
import type { ComponentServices } from '../../components/component-services.ts';
import type { MetadataService } from '../../metadata/metadata-service.ts';
import { FORCE, isForced, type Shutdown } from '../../server/shutdown-routes.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import { bindingRpcs } from './binding-rpcs.ts';
import { configurationRpcs } from './configuration-rpcs.ts';
import type { InvokeRpc } from './invoke-rpc.ts';
import { lockRpcs } from './lock-rpcs.ts';
import { metadataRpcs } from './metadata-rpcs.ts';
import { pubsubRpcs } from './pubsub-rpcs.ts';
import { secretRpcs } from './secret-rpcs.ts';
import { stateRpcs } from './state-rpcs.ts';
import { type StreamSubscriptions, subscribeRpc } from './subscribe-rpc.ts';

export interface DaprServiceParts {
  readonly services: ComponentServices;
  readonly metadata: MetadataService;
  readonly invoke: InvokeRpc;
  readonly streams: StreamSubscriptions;
  /** Ends the sidecar, after the answer. */
  readonly shutdown: Shutdown;
}

/** Dapr's service, made of its parts. */
export function daprService(parts: DaprServiceParts): Partial<ServiceImpl<typeof Dapr>> {
  const { invoke, metadata, services, shutdown, streams } = parts;
  return {
    ...stateRpcs(services.state.withoutAppId()),
    ...pubsubRpcs(services.publishing.overGrpc()),
    ...secretRpcs(services.secrets),
    ...configurationRpcs(services.configurations),
    ...lockRpcs(services.locks),
    ...bindingRpcs(services.bindings),
    ...metadataRpcs(metadata),
    ...subscribeRpc(streams),
    invokeService: (request, context) => invoke.invoke(request, context),
    async shutdown(_request, { requestHeader }) {
      // The answer goes first.
      setImmediate(shutdown, isForced(requestHeader.get(FORCE)));
      return {};
    },
  };
}
