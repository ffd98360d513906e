import type { ServiceImpl } from '@connectrpc/connect';
import { ApiError } from '../../server/api-error.ts';
import type { StateRequest } from '../../state/state-requests.ts';
import type { StateService } from '../../state/state-service.ts';
import { type StateItem as KeptItem, toldOf } from '../../state/state-store.ts';
import { traceFacts } from '../../trace/tracing.ts';
import {
  StateOptions_StateConcurrency as Concurrency,
  StateOptions_StateConsistency as Consistency,
  type Etag,
  type StateItem,
  type StateOptions,
} from '../protos/common_pb.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import { causeError } from '../status/rpc-error.ts';
import { SPAN } from './call-guard.ts';
import { utf8Json } from './json-value.ts';

type StateRpcs = Pick<
  ServiceImpl<typeof Dapr>,
  | 'getState'
  | 'getBulkState'
  | 'saveState'
  | 'deleteState'
  | 'deleteBulkState'
  | 'executeStateTransaction'
  | 'queryStateAlpha1'
>;

/** Dapr's state over gRPC: values are bytes, and come back as they were. */
export function stateRpcs(service: StateService): StateRpcs {
  return {
    async getState({ consistency, key, metadata, storeName }) {
      const hints = { metadata, consistency: CONSISTENCY[consistency] };
      const item = await service.get(storeName, key, hints);
      return item === undefined ? {} : itemMessage(item);
    },
    async getBulkState({ keys, metadata, parallelism, storeName }) {
      service.require(storeName);
      const wanted = { keys, metadata, parallelism };
      const items = await service.bulkGet(storeName, wanted).catch(bare);
      return {
        items: items.map(({ key, item, error = '' }) => ({
          key,
          error,
          ...(item === undefined ? {} : itemMessage(item)),
        })),
      };
    },
    async saveState({ storeName, states }) {
      service.require(storeName);
      for (const { key } of states) {
        if (key === '') throw new ApiError(400, 'ERR_STATE_SAVE', 'state key cannot be empty');
      }
      await service.save(storeName, states.map(savedRequest), {});
      return {};
    },
    async deleteState({ etag, key, metadata, options, storeName }) {
      await service.delete(storeName, key, { etag: etagOf(etag), metadata, ...modes(options) });
      return {};
    },
    async deleteBulkState({ storeName, states }) {
      await service.deleteBulk(storeName, states.map(stateRequest));
      return {};
    },
    async executeStateTransaction({ metadata, operations, storeName }, { values }) {
      service.require(storeName);
      const steps = operations.map(({ operationType, request }) => ({
        operation: operationType,
        request: stateRequest(request),
      }));
      const wanted = { metadata, operations: steps };
      await service.transact(storeName, wanted, traceFacts(values.get(SPAN)));
      return {};
    },
    async queryStateAlpha1({ metadata: asked, query, storeName }) {
      const page = await service.query(storeName, query, asked);
      const { items, metadata = {}, token = '' } = page;
      if (items.length === 0) return {};
      const results = items.map((item) =>
        'error' in item ? item : { key: item.key, etag: item.etag, data: bytesOf(item.value) },
      );
      return { results, token, metadata };
    },
  };
}

/** Of a bulk get daprd passes on what failed as it is: a store behind gRPC keeps its code. */
function bare(error: unknown): never {
  throw error instanceof ApiError && error.errorCode === 'ERR_STATE_BULK_GET'
    ? causeError(error)
    : error;
}

function itemMessage(item: KeptItem) {
  return { data: bytesOf(item.value), etag: item.etag, metadata: { ...toldOf(item) } };
}

const bytesOf = (value: string | Buffer): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : value;

/** JSON where the client says that it is; else bytes. */
function savedRequest(item: StateItem): StateRequest {
  const request = stateRequest(item);
  if (item.metadata.contentType !== 'application/json') return request;
  return { ...request, value: utf8Json(item.value) };
}

function stateRequest(item: StateItem | undefined): StateRequest {
  return {
    key: item?.key ?? '',
    value: Buffer.from(item?.value ?? []),
    etag: etagOf(item?.etag),
    ...modes(item?.options),
    metadata: item?.metadata ?? {},
  };
}

/** An empty one is none, as over HTTP: who read what was not there must be able to write it. */
const etagOf = (etag: Etag | undefined): string | undefined => etag?.value || undefined;

const CONSISTENCY: Readonly<Record<Consistency, string>> = {
  [Consistency.CONSISTENCY_UNSPECIFIED]: '',
  [Consistency.CONSISTENCY_EVENTUAL]: 'eventual',
  [Consistency.CONSISTENCY_STRONG]: 'strong',
};

function modes(options: StateOptions | undefined) {
  const { concurrency, consistency } = options ?? {};
  return {
    concurrency:
      concurrency === Concurrency.CONCURRENCY_FIRST_WRITE
        ? 'first-write'
        : concurrency === Concurrency.CONCURRENCY_LAST_WRITE
          ? 'last-write'
          : '',
    consistency: consistency === undefined ? '' : CONSISTENCY[consistency],
  };
}
