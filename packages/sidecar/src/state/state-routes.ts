import { type ComponentHandler, componentRoute } from '../components/component-route.ts';
import { type BodyLimits, collectBody } from '../flow/request-body.ts';
import { compactJson, writeStruct } from '../go-json/write-json.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';
import { queryMetadata } from '../server/query-metadata.ts';
import type { QueryPage } from './query/state-query.ts';
import { bulkGetRequest, saveRequests, transactionRequest } from './state-requests.ts';
import type { BulkItem, StateService } from './state-service.ts';

/** `/v1.0/state/…` over HTTP. */
export function stateRoutes(service: StateService, limits: BodyLimits): readonly Route[] {
  const body = (call: ApiCall) => collectBody(call.req, limits);
  const writes = (path: RegExp, handle: ComponentHandler) =>
    ['POST', 'PUT'].map((method) => componentRoute(method, path, handle));
  return [
    ...writes(/^\/v1\.0\/state\/([^/]+)$/, async (call, store) => {
      service.require(store);
      await service.save(store, saveRequests(await body(call)), queryMetadata(call.head.query));
      call.empty(204);
    }),
    ...writes(/^\/v1\.0\/state\/([^/]+)\/bulk$/, async (call, store) => {
      service.require(store);
      const items = await service.bulkGet(
        store,
        bulkGetRequest(await body(call), queryMetadata(call.head.query)),
      );
      call.encoded(200, `[${items.map(bulkText).join(',')}]`);
    }),
    ...writes(/^\/v1\.0\/state\/([^/]+)\/transaction$/, async (call, store) => {
      service.require(store);
      await service.transact(
        store,
        transactionRequest(await body(call), queryMetadata(call.head.query)),
        call.trace,
      );
      call.empty(204);
    }),
    ...writes(/^\/v1\.0-alpha1\/state\/([^/]+)\/query$/, async (call, store) => {
      const page = await service.query(store, (await body(call)).toString('utf8'));
      if (page.items.length === 0) call.empty(204);
      else call.encoded(200, pageText(page));
    }),
    componentRoute('GET', /^\/v1\.0\/state\/([^/]+)\/([^/]+)$/, async (call, store, key) => {
      const { query } = call.head;
      const consistency = new URLSearchParams(query).get('consistency') ?? '';
      const item = await service.get(store, key, { metadata: queryMetadata(query), consistency });
      if (item === undefined) {
        call.empty(204);
        return;
      }
      const expires =
        item.expiresAt === undefined ? [] : ['metadata.ttlexpiretime', item.expiresAt];
      const headers = ['etag', item.etag, ...expires];
      if (typeof item.value === 'string') call.json(200, item.value, headers);
      else call.bytes(200, item.value, headers);
    }),
    componentRoute('DELETE', /^\/v1\.0\/state\/([^/]+)\/([^/]+)$/, async (call, store, key) => {
      const query = new URLSearchParams(call.head.query);
      await service.delete(store, key, {
        etag: call.req.headersDistinct['if-match']?.[0] || undefined,
        concurrency: query.get('concurrency') ?? '',
        consistency: query.get('consistency') ?? '',
        metadata: queryMetadata(call.head.query),
      });
      call.empty(204);
    }),
  ];
}

/** As text, since what a store keeps is JSON already. */
function bulkText({ key, item, error }: BulkItem): string {
  const parts = [`"key":${writeStruct(key)}`];
  if (item !== undefined)
    parts.push(`"data":${jsonOf(item.value)}`, `"etag":${writeStruct(item.etag)}`);
  if (item?.expiresAt !== undefined) {
    parts.push(`"metadata":${writeStruct({ ttlExpireTime: item.expiresAt })}`);
  }
  if (error !== undefined) parts.push(`"error":${writeStruct(error)}`);
  return `{${parts.join(',')}}`;
}

function pageText({ items, token }: QueryPage): string {
  const results = items.map(({ etag, key, value }) => bulkText({ key, item: { value, etag } }));
  const rest = token === undefined ? '' : `,"token":${writeStruct(token)}`;
  return `{"results":[${results.join(',')}]${rest}}`;
}

/** Bytes that are no JSON are shown as a text; daprd answers with nothing at all then. */
function jsonOf(value: string | Buffer): string {
  if (typeof value === 'string') return compactJson(value);
  const text = value.toString('utf8');
  try {
    JSON.parse(text);
    return compactJson(text);
  } catch {
    return writeStruct(text);
  }
}
