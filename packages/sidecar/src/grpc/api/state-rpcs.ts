import type { ServiceImpl } from '@connectrpc/connect';
import { ApiError } from '../../server/api-error.ts';
import type { StateRequest } from '../../state/state-requests.ts';
import type { StateService } from '../../state/state-service.ts';
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
      const lanes = parallelism > 0 ? Math.min(parallelism, 100) : 10;
      const wanted = { keys, metadata, parallelism: lanes };
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
    async executeStateTransaction({ storeName, operations }, { values }) {
      service.require(storeName);
      const steps = operations.map(({ operationType, request }) => ({
        operation: operationType,
        request: stateRequest(request),
      }));
      await service.transact(storeName, { operations: steps }, traceFacts(values.get(SPAN)));
      return {};
    },
    async queryStateAlpha1({ query, storeName }) {
      const { items, token = '' } = await service.query(storeName, query);
      if (items.length === 0) return {};
      const results = items.map((item) => ({ key: item.key, ...itemMessage(item) }));
      return { results, token };
    },
  };
}

/** Of a bulk get daprd passes on what failed as it is: a store behind gRPC keeps its code. */
function bare(error: unknown): never {
  throw error instanceof ApiError && error.errorCode === 'ERR_STATE_BULK_GET'
    ? causeError(error)
    : error;
}

function itemMessage(item: {
  readonly value: string | Buffer;
  readonly etag: string;
  readonly expiresAt?: string | undefined;
}) {
  const { etag, expiresAt, value } = item;
  return {
    data: typeof value === 'string' ? Buffer.from(value) : value,
    etag,
    metadata: expiresAt === undefined ? {} : { ttlExpireTime: expiresAt },
  };
}

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
