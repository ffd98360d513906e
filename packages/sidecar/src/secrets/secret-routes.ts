import type { ComponentCalls } from '../components/component-calls.ts';
import { componentRoute } from '../components/component-route.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import type { SecretStore } from './secret-store.ts';

/** `/v1.0/secrets/…` over HTTP. */
export function secretRoutes(
  stores: ReadonlyMap<string, SecretStore>,
  calls: ComponentCalls,
): readonly Route[] {
  const find = (name: string): SecretStore => {
    const store = stores.get(name);
    if (store !== undefined) return store;
    const message = `failed finding secret store with key ${name}`;
    throw new ApiError(401, 'ERR_SECRET_STORE_NOT_FOUND', message);
  };
  const failed = (what: string) => (error: unknown) => {
    const message = `failed getting ${what}: ${failureWords(error)}`;
    throw new ApiError(500, 'ERR_SECRET_GET', message, { cause: error });
  };
  return [
    componentRoute('GET', /^\/v1\.0\/secrets\/([^/]+)\/bulk$/, async (call, name) => {
      const store = find(name);
      const all = await calls
        .run('secret', name, 'bulk_get', () => store.all())
        .catch(failed(`secrets from secret store ${name}`));
      call.json(200, JSON.stringify(all));
    }),
    componentRoute('GET', /^\/v1\.0\/secrets\/([^/]+)\/(.+)$/, async (call, name, key) => {
      const store = find(name);
      const found = await calls
        .run('secret', name, 'get', () => store.get(key))
        .catch(failed(`secret with key ${key} from secret store ${name}`));
      call.json(200, JSON.stringify(found));
    }),
  ];
}
