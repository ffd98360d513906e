import { type ComponentHandler, componentRoute } from '../components/component-route.ts';
import { type BodyLimits, collectBody } from '../flow/request-body.ts';
import { compactJson, writeJson, writeStruct } from '../go-json/write-json.ts';
import type { ApiCall } from '../server/api-call.ts';
import type { Route } from '../server/api-routes.ts';
import { queryMetadata } from '../server/query-metadata.ts';
import { toldMetadata } from '../server/told-metadata.ts';
import type { QueriedItem, QueryPage } from './query/state-query.ts';
import { bulkGetRequest, saveRequests, transactionRequest } from './state-requests.ts';
import type { BulkItem, StateService } from './state-service.ts';
import { toldOf } from './state-store.ts';

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
      const text = (await body(call)).toString('utf8');
      const page = await service.query(store, text, queryMetadata(call.head.query));
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
      const etag = item.etag === '' ? [] : ['etag', item.etag];
      const headers = [...etag, ...toldMetadata(toldOf(item))];
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
  if (item !== undefined) {
    parts.push(`"data":${jsonOf(item.value)}`, ...etagText(item));
    const told = toldOf(item);
    if (Object.keys(told).length > 0) parts.push(`"metadata":${writeJson(told)}`);
  }
  if (error !== undefined) parts.push(`"error":${writeStruct(error)}`);
  return `{${parts.join(',')}}`;
}

const etagText = ({ etag }: { readonly etag: string }): readonly string[] =>
  etag === '' ? [] : [`"etag":${writeStruct(etag)}`];

function pageText({ items, metadata = {}, token = '' }: QueryPage): string {
  const parts = [`"results":[${items.map(queriedText).join(',')}]`];
  if (token !== '') parts.push(`"token":${writeStruct(token)}`);
  if (Object.keys(metadata).length > 0) parts.push(`"metadata":${writeJson(metadata)}`);
  return `{${parts.join(',')}}`;
}

function queriedText(item: QueriedItem): string {
  const key = `"key":${writeStruct(item.key)}`;
  if ('error' in item) return `{${key},"data":null,"error":${writeStruct(item.error)}}`;
  return `{${[key, `"data":${jsonOf(item.value)}`, ...etagText(item)].join(',')}}`;
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
