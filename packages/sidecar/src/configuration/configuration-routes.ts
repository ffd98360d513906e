import { isPolicyError } from '@holdfast/core';
import { componentRoute } from '../components/component-route.ts';
import { writeMap, writeStruct } from '../go-json/write-json.ts';
import type { ApiCall } from '../server/api-call.ts';
import { ApiError } from '../server/api-error.ts';
import type { Route } from '../server/api-routes.ts';
import type { ConfigurationService } from './configuration-service.ts';

/** `/v1.0/configuration/…`, and `/v1.0-alpha1`, over HTTP. */
export function configurationRoutes(service: ConfigurationService): readonly Route[] {
  const get = (rest: string) => new RegExp(`^/v1\\.0(?:-alpha1)?/configuration/([^/]+)${rest}$`);
  return [
    componentRoute('GET', get(''), async (call, store) => {
      const items = await service.get(store, keysOf(call));
      if (Object.keys(items).length === 0) call.empty(204);
      else call.encoded(200, writeMap(items, writeStruct));
    }),
    componentRoute('GET', get('/subscribe'), async (call, store) => {
      const id = await service.subscribe(store, keysOf(call), metadataOf(call));
      call.encoded(200, writeStruct({ id }));
    }),
    componentRoute('GET', get('/([^/]+)/unsubscribe'), async (call, store, id) => {
      try {
        await service.unsubscribe(store, id);
        call.encoded(200, writeStruct({ ok: true }));
      } catch (error) {
        const known = error instanceof ApiError && error.status === 500;
        if (!known || isPolicyError(error.cause)) throw error;
        // As in Dapr, without a code.
        call.encoded(500, writeStruct({ message: error.message }));
      }
    }),
  ];
}

const metadataOf = (call: ApiCall): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...new URLSearchParams(call.head.query)]
      .filter(([name]) => name.startsWith('metadata.'))
      .map(([name, value]) => [name.slice('metadata.'.length), value]),
  );

const keysOf = (call: ApiCall): readonly string[] =>
  new URLSearchParams(call.head.query).getAll('key');
