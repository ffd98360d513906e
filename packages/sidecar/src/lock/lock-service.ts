import type { ComponentCalls } from '../components/component-calls.ts';
import { KEY_SEPARATOR } from '../components/key-prefix.ts';
import type { OpenLockStore } from '../components/open-components.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { ApiError } from '../server/api-error.ts';
import type { UnlockOutcome } from './lock-store.ts';

export interface UnlockRequest {
  readonly resource: string;
  readonly owner: string;
}

export interface LockRequest extends UnlockRequest {
  readonly expirySeconds: number;
}

/** Dapr's locks, whatever the protocol; errors are `ApiError`. */
export class LockService {
  readonly #stores: ReadonlyMap<string, OpenLockStore>;
  readonly #calls: ComponentCalls;

  constructor(stores: ReadonlyMap<string, OpenLockStore>, calls: ComponentCalls) {
    this.#stores = stores;
    this.#calls = calls;
  }

  /** Whether the lock is the owner's now. */
  async tryLock(name: string, request: LockRequest): Promise<boolean> {
    if (request.expirySeconds <= 0) {
      throw malformed(`ExpiryInSeconds is not positive in lock store ${name}`);
    }
    const { store, keyPrefix } = this.#find(name, request);
    const { expirySeconds, owner, resource } = request;
    return await this.#calls
      .run('lock', name, 'lock', async (call) =>
        store.tryLock(fullKey(keyPrefix, resource), owner, expirySeconds, call?.signal),
      )
      .catch((error: unknown) => {
        throw failed('ERR_TRY_LOCK', 'failed to try acquiring lock', error);
      });
  }

  async unlock(name: string, request: UnlockRequest): Promise<UnlockOutcome> {
    const { store, keyPrefix } = this.#find(name, request);
    return await this.#calls
      .run('lock', name, 'unlock', async (call) =>
        store.unlock(fullKey(keyPrefix, request.resource), request.owner, call?.signal),
      )
      .catch((error: unknown) => {
        throw failed('ERR_UNLOCK', 'failed to release lock', error);
      });
  }

  /** In the order in which Dapr looks: that of the messages is part of the API. */
  #find(name: string, { owner, resource }: UnlockRequest): OpenLockStore {
    if (this.#stores.size === 0) {
      throw new ApiError(500, 'ERR_LOCK_STORE_NOT_CONFIGURED', 'lock store is not configured');
    }
    if (resource === '') throw malformed(`ResourceId is empty in lock store ${name}`);
    if (owner === '') throw malformed(`LockOwner is empty in lock store ${name}`);
    const found = this.#stores.get(name);
    if (found !== undefined) return found;
    throw new ApiError(400, 'ERR_LOCK_STORE_NOT_FOUND', `lock store ${name} not found`);
  }
}

/** Dapr's keys of locks: `lock||orders||key`. */
function fullKey(prefix: string, resource: string): string {
  if (resource.includes(KEY_SEPARATOR)) {
    throw new Error(`input key/keyPrefix '${resource}' can't contain '${KEY_SEPARATOR}'`);
  }
  return `lock${KEY_SEPARATOR}${prefix}${resource}`;
}

const malformed = (message: string) => new ApiError(400, 'ERR_MALFORMED_REQUEST', message);

const failed = (code: string, what: string, cause: unknown) =>
  new ApiError(500, code, `${what}: ${failureWords(cause)}`, { cause });
