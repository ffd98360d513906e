import type { ComponentCalls } from '../components/component-calls.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { ApiError } from '../server/api-error.ts';
import type { Secret, SecretMetadata, SecretStore } from './secret-store.ts';

/** Dapr's secrets, whatever the protocol; errors are `ApiError`. */
export class SecretService {
  readonly #stores: ReadonlyMap<string, SecretStore>;
  readonly #calls: ComponentCalls;
  readonly #allowed: (store: string, key: string) => boolean;

  constructor(
    stores: ReadonlyMap<string, SecretStore>,
    calls: ComponentCalls,
    allowed: (store: string, key: string) => boolean,
  ) {
    this.#stores = stores;
    this.#calls = calls;
    this.#allowed = allowed;
  }

  async get(name: string, key: string, metadata: SecretMetadata): Promise<Secret> {
    const store = this.#find(name);
    if (!this.#allowed(name, key)) {
      const message = `access denied by policy to get "${key}" from "${name}"`;
      throw new ApiError(403, 'ERR_PERMISSION_DENIED', message);
    }
    return await this.#calls
      .run('secret', name, 'get', (call) => store.get(key, call?.signal, metadata))
      .catch(failed(`secret with key ${key} from secret store ${name}`));
  }

  /** Those that may be read. */
  async all(name: string, metadata: SecretMetadata): Promise<Readonly<Record<string, Secret>>> {
    const store = this.#find(name);
    const all = await this.#calls
      .run('secret', name, 'bulk_get', (call) => store.all(call?.signal, metadata))
      .catch(failed(`secrets from secret store ${name}`));
    return Object.fromEntries(Object.entries(all).filter(([key]) => this.#allowed(name, key)));
  }

  #find(name: string): SecretStore {
    const store = this.#stores.get(name);
    if (store !== undefined) return store;
    if (this.#stores.size === 0) {
      throw new ApiError(500, 'ERR_SECRET_STORES_NOT_CONFIGURED', 'secret store is not configured');
    }
    const message = `failed finding secret store with key ${name}`;
    throw new ApiError(401, 'ERR_SECRET_STORE_NOT_FOUND', message);
  }
}

const failed = (what: string) => (error: unknown) => {
  const message = `failed getting ${what}: ${failureWords(error)}`;
  throw new ApiError(500, 'ERR_SECRET_GET', message, { cause: error });
};
