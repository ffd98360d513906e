import type { ComponentCalls } from '../components/component-calls.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';
import type { SecretStore } from './secret-store.ts';

/** `/v1.0/secrets/…`; none where there is no store, for daprd then says that there is none. */
export function secretRoutes(
  stores: ReadonlyMap<string, SecretStore>,
  calls: ComponentCalls,
): readonly Route[] {
  if (stores.size === 0) return [];
  const find = (call: ApiCall, name: string): SecretStore | undefined => {
    const store = stores.get(name);
    if (store === undefined) {
      fail(call, 401, 'ERR_SECRET_STORE_NOT_FOUND', `failed finding secret store with key ${name}`);
    }
    return store;
  };
  return [
    {
      method: 'GET',
      path: /^\/v1\.0\/secrets\/([^/]+)\/bulk$/,
      handle(call, [, name = '']) {
        const store = find(call, name);
        if (store === undefined) return;
        calls
          .run('secret', name, 'bulk_get', () => store.all())
          .then(
            (all) => call.json(200, JSON.stringify(all)),
            (error: Error) =>
              fail(
                call,
                500,
                'ERR_SECRET_GET',
                `failed getting secrets from secret store ${name}: ${error.message}`,
              ),
          );
      },
    },
    {
      method: 'GET',
      path: /^\/v1\.0\/secrets\/([^/]+)\/(.+)$/,
      handle(call, [, name = '', key = '']) {
        const store = find(call, name);
        if (store === undefined) return;
        const secret = decodeURIComponent(key);
        calls
          .run('secret', name, 'get', () => store.get(secret))
          .then(
            (found) => call.json(200, JSON.stringify(found)),
            (error: Error) =>
              fail(
                call,
                500,
                'ERR_SECRET_GET',
                `failed getting secret with key ${secret} from secret store ${name}: ${error.message}`,
              ),
          );
      },
    },
  ];
}

function fail(call: ApiCall, status: number, errorCode: string, message: string): void {
  call.json(status, JSON.stringify({ errorCode, message }));
}
