import type { ServiceImpl } from '@connectrpc/connect';
import type { LockService } from '../../lock/lock-service.ts';
import type { UnlockOutcome } from '../../lock/lock-store.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import { UnlockResponse_Status as Status } from '../protos/lock_pb.ts';

const STATUS: Readonly<Record<UnlockOutcome, Status>> = {
  unlocked: Status.SUCCESS,
  absent: Status.LOCK_DOES_NOT_EXIST,
  'of-another': Status.LOCK_BELONGS_TO_OTHERS,
};

/** Dapr's locks over gRPC. */
export function lockRpcs(
  service: LockService,
): Pick<ServiceImpl<typeof Dapr>, 'tryLockAlpha1' | 'unlockAlpha1'> {
  return {
    async tryLockAlpha1({ storeName, resourceId, lockOwner, expiryInSeconds }) {
      const success = await service.tryLock(storeName, {
        resource: resourceId,
        owner: lockOwner,
        expirySeconds: expiryInSeconds,
      });
      return { success };
    },
    async unlockAlpha1({ storeName, resourceId, lockOwner }) {
      const request = { resource: resourceId, owner: lockOwner };
      return { status: STATUS[await service.unlock(storeName, request)] };
    },
  };
}
