import type { ServiceImpl } from '@connectrpc/connect';
import type { SecretService } from '../../secrets/secret-service.ts';
import type { Dapr } from '../protos/dapr_pb.ts';

/** Dapr's secrets over gRPC. */
export function secretRpcs(
  service: SecretService,
): Pick<ServiceImpl<typeof Dapr>, 'getSecret' | 'getBulkSecret'> {
  return {
    async getSecret({ storeName, key }) {
      return { data: { ...(await service.get(storeName, key)) } };
    },
    async getBulkSecret({ storeName }) {
      const all = Object.entries(await service.all(storeName));
      return { data: Object.fromEntries(all.map(([key, secrets]) => [key, { secrets }])) };
    },
  };
}
