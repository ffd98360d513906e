import { isRecord, texts } from '../resources/resource-files.ts';
import { ApiError } from '../server/api-error.ts';
import { goKind } from './go-kind.ts';
import type { StateOperation } from './state-store.ts';

export type Metadata = Readonly<Record<string, string>>;

/** One item of a save, or one request of a transaction, as the client wrote it. */
export interface StateRequest {
  readonly key: string;
  /** What JSON said, or a buffer: bytes that stay as they are. */
  readonly value: unknown;
  readonly etag: string | undefined;
  readonly concurrency: string;
  readonly consistency: string;
  readonly metadata: Metadata;
}

/** Reads the body of a save: a list of items. */
export function saveRequests(body: Buffer): readonly StateRequest[] {
  const list = parse(body, '');
  if (!Array.isArray(list))
    throw malformed(
      `json: cannot unmarshal ${goKind(list)} into Go value of type []state.SetRequest`,
    );
  return list.map(stateRequest);
}

/** What a transaction asks for. */
export interface TransactionRequest {
  readonly operations: readonly { readonly operation: string; readonly request: StateRequest }[];
}

export function transactionRequest(body: Buffer): TransactionRequest {
  const given = parse(body, 'failed deserializing HTTP body: ');
  const shared = texts(isRecord(given) ? given.metadata : undefined);
  const list = isRecord(given) ? (given.operations ?? []) : undefined;
  if (!Array.isArray(list))
    throw malformed('failed deserializing HTTP body: operations must be a list');
  return {
    operations: list.map((one: unknown) => {
      const request = stateRequest(isRecord(one) ? one.request : undefined);
      return {
        operation: isRecord(one) ? String(one.operation ?? '') : '',
        request: { ...request, metadata: { ...shared, ...request.metadata } },
      };
    }),
  };
}

export interface BulkGetRequest {
  readonly keys: readonly string[];
  readonly parallelism: number;
}

export function bulkGetRequest(body: Buffer): BulkGetRequest {
  const given = parse(body, 'failed deserializing HTTP body: ');
  const keys = isRecord(given) ? (given.keys ?? []) : undefined;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw malformed('failed deserializing HTTP body: keys must be a list of texts');
  }
  const parallelism = isRecord(given) ? Number(given.parallelism) : 0;
  return { keys, parallelism: parallelism > 0 ? Math.min(Math.trunc(parallelism), 100) : 10 };
}

/** What a store is to do; `key` has its prefix already. */
export function setOperation(key: string, request: StateRequest, query: Metadata): StateOperation {
  const { concurrency, consistency, etag, value } = request;
  checkOptions(concurrency, consistency);
  const metadata = { ...request.metadata, ...query };
  return {
    kind: 'set',
    key,
    value: Buffer.isBuffer(value) ? value : JSON.stringify(value ?? null),
    etag,
    firstWrite: concurrency === 'first-write',
    ttlSeconds: ttlOf(metadata),
  };
}

export function checkOptions(concurrency: string, consistency: string): void {
  if (!['', 'first-write', 'last-write'].includes(concurrency)) {
    throw new Error(`unrecognized concurrency model '${concurrency}'`);
  }
  if (!['', 'strong', 'eventual'].includes(consistency)) {
    throw new Error(`unrecognized consistency model '${consistency}'`);
  }
}

function ttlOf(metadata: Metadata): number | undefined {
  const name = Object.keys(metadata).find((one) => one.toLowerCase() === 'ttlinseconds');
  const text = name === undefined ? '' : metadata[name]!;
  if (text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.Atoi: parsing "${text}": invalid syntax`);
  return Number(text);
}

function stateRequest(given: unknown): StateRequest {
  const item = isRecord(given) ? given : {};
  const options = isRecord(item.options) ? item.options : {};
  const { etag } = item;
  return {
    key: typeof item.key === 'string' ? item.key : '',
    value: item.value,
    // An empty one is none, as in Dapr.
    etag: typeof etag === 'string' && etag !== '' ? etag : undefined,
    concurrency: String(options.concurrency ?? ''),
    consistency: String(options.consistency ?? ''),
    metadata: texts(item.metadata),
  };
}

function parse(body: Buffer, before: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw malformed(`${before}${(error as Error).message}`);
  }
}

const malformed = (message: string) => new ApiError(400, 'ERR_MALFORMED_REQUEST', message);
