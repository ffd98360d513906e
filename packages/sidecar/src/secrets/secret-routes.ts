import { componentRoute } from '../components/component-route.ts';
import { writeJson } from '../go-json/write-json.ts';
import type { Route } from '../server/api-routes.ts';
import { queryMetadata } from '../server/query-metadata.ts';
import type { SecretService } from './secret-service.ts';

/** `/v1.0/secrets/…` over HTTP. */
export function secretRoutes(service: SecretService): readonly Route[] {
  return [
    componentRoute('GET', /^\/v1\.0\/secrets\/([^/]+)\/bulk$/, async (call, name) => {
      const metadata = queryMetadata(call.head.query);
      call.encoded(200, writeJson(await service.all(name, metadata)));
    }),
    componentRoute('GET', /^\/v1\.0\/secrets\/([^/]+)\/([^/]+)$/, async (call, name, key) => {
      const metadata = queryMetadata(call.head.query);
      call.encoded(200, writeJson(await service.get(name, key, metadata)));
    }),
  ];
}
