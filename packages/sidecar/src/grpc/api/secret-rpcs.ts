import type { ServiceImpl } from '@connectrpc/connect';
import type { SecretService } from '../../secrets/secret-service.ts';
import type { Dapr } from '../protos/dapr_pb.ts';

/** Dapr's secrets over gRPC. */
export function secretRpcs(
  service: SecretService,
): Pick<ServiceImpl<typeof Dapr>, 'getSecret' | 'getBulkSecret'> {
  return {
    async getSecret({ key, metadata, storeName }) {
      return { data: { ...(await service.get(storeName, key, metadata)) } };
    },
    async getBulkSecret({ metadata, storeName }) {
      const all = Object.entries(await service.all(storeName, metadata));
      return { data: Object.fromEntries(all.map(([key, secrets]) => [key, { secrets }])) };
    },
  };
}
