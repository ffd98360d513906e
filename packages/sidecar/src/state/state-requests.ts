import { GoJsonError } from '../go-json/go-json-error.ts';
import {
  type GoType,
  goAny,
  goInt,
  goMap,
  goSlice,
  goString,
  goStruct,
  readInto,
} from '../go-json/go-type.ts';
import { MapReader } from '../go-json/map-structure.ts';
import { firstJson } from '../go-json/read-json.ts';
import { writeJson } from '../go-json/write-json.ts';
import { ApiError } from '../server/api-error.ts';
import type { StateOperation, StateStore } from './state-store.ts';
import { ttlOf } from './ttl.ts';

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
  /** As a transaction over HTTP may say it; for its events. */
  readonly contentType?: string;
}

/** What a client says of a key that is to be deleted. */
export type DeleteRequest = Pick<StateRequest, 'etag' | 'concurrency' | 'consistency' | 'metadata'>;

const OPTIONS = goStruct('state.SetStateOption', { concurrency: goString, consistency: goString });
const SAVE = goSlice(
  goStruct('state.SetRequest', {
    key: goString,
    value: goAny,
    etag: goString,
    metadata: goMap(goString),
    options: OPTIONS,
    contentType: goString,
  }),
);

/** Reads the body of a save: a list of items. */
export function saveRequests(body: Buffer): readonly StateRequest[] {
  return read(SAVE, body, '').map(({ contentType, etag, key, metadata, options, value }) => ({
    ...{ key, value, metadata, contentType, ...options },
    // An empty one is none, as in Dapr.
    etag: etag === '' ? undefined : etag,
  }));
}

/** What a transaction asks for. */
export interface TransactionRequest {
  readonly operations: readonly TransactionStep[];
  /** What it says for the store as a whole. */
  readonly metadata: Metadata;
}

export interface TransactionStep {
  readonly operation: string;
  readonly request: StateRequest;
}

const TRANSACTION = goStruct('http.stateTransactionRequestBody', {
  operations: goSlice(
    goStruct('http.stateTransactionRequestBodyOperation', { operation: goString, request: goAny }),
  ),
  // For the store as a whole, and not the items'.
  metadata: goMap(goString),
});

/** `query` is what the address says for all that is written. */
export function transactionRequest(body: Buffer, query: Metadata): TransactionRequest {
  const { metadata, operations } = read(TRANSACTION, body, BODY);
  return {
    metadata: { ...metadata, ...query },
    operations: operations.map(({ operation, request }) => {
      // What is to be done with it is looked at first.
      if (!isOperation(operation)) return { operation, request: NOTHING };
      const one = transactionItem(request);
      return { operation, request: { ...one, metadata: { ...one.metadata, ...query } } };
    }),
  };
}

export const isOperation = (operation: string): operation is 'upsert' | 'delete' =>
  operation === 'upsert' || operation === 'delete';

const NOTHING: StateRequest = {
  key: '',
  value: undefined,
  etag: undefined,
  concurrency: '',
  consistency: '',
  metadata: {},
};

function transactionItem(given: unknown): StateRequest {
  try {
    return MapReader.read(given, (fields) => {
      const options = fields.struct('Options');
      return {
        key: fields.string('Key'),
        value: fields.any('Value'),
        etag: fields.string('ETag') || undefined,
        metadata: fields.strings('Metadata'),
        contentType: fields.string('ContentType'),
        concurrency: options.string('Concurrency'),
        consistency: options.string('Consistency'),
      };
    });
  } catch (error) {
    throw malformed(`${BODY}${(error as Error).message}`);
  }
}

export interface BulkGetRequest {
  readonly keys: readonly string[];
  /** As the client has it, for a store that gets them in one go; else `lanesOf` it says how many are got abreast. */
  readonly parallelism: number;
  readonly metadata: Metadata;
}

const BULK_GET = goStruct('http.BulkGetRequest', {
  keys: goSlice(goString),
  parallelism: goInt,
  metadata: goMap(goString),
});

/** `query` is what the address says for all keys. */
export function bulkGetRequest(body: Buffer, query: Metadata): BulkGetRequest {
  const { keys, metadata, parallelism } = read(BULK_GET, body, BODY);
  return { keys, parallelism, metadata: { ...metadata, ...query } };
}

const FEW_LANES = 10;
const MOST_LANES = 100;

/** Keys that are got abreast. */
export const lanesOf = (parallelism: number): number =>
  parallelism > 0 ? Math.min(parallelism, MOST_LANES) : FEW_LANES;

/** What a store is to do; `key` has its prefix already. */
export function setOperation(
  key: string,
  request: StateRequest,
  query: Metadata,
  store: Pick<StateStore, 'readTtl' | 'overlooksOptionsOf'>,
  task: 'set' | 'transacted set' = 'set',
): StateOperation {
  const { concurrency, consistency, contentType, etag, value } = request;
  if (!store.overlooksOptionsOf?.includes(task)) checkOptions(concurrency, consistency);
  const metadata = { ...request.metadata, ...query };
  return {
    kind: 'set',
    key,
    value: Buffer.isBuffer(value) ? value : writeJson(value ?? null),
    etag,
    firstWrite: concurrency === 'first-write',
    lastWrite: concurrency === 'last-write',
    ttlSeconds: ttlOf(metadata, store.readTtl),
    hints: { metadata, consistency, contentType },
  };
}

export function deleteOperation(
  key: string,
  request: DeleteRequest,
  store: Pick<StateStore, 'overlooksOptionsOf'>,
  task: 'delete' | 'transacted delete' = 'delete',
): StateOperation {
  const { concurrency, consistency, etag, metadata } = request;
  if (!store.overlooksOptionsOf?.includes(task)) checkOptions(concurrency, consistency);
  return {
    kind: 'delete',
    key,
    etag,
    firstWrite: concurrency === 'first-write',
    lastWrite: concurrency === 'last-write',
    hints: { metadata, consistency },
  };
}

function checkOptions(concurrency: string, consistency: string): void {
  if (!['', 'first-write', 'last-write'].includes(concurrency)) {
    throw new Error(`unrecognized concurrency model '${concurrency}'`);
  }
  if (!['', 'strong', 'eventual'].includes(consistency)) {
    throw new Error(`unrecognized consistency model '${consistency}'`);
  }
}

const BODY = 'failed deserializing HTTP body: ';

function read<T>(type: GoType<T>, body: Buffer, before: string): T {
  try {
    return readInto(type, firstJson(body.toString('utf8')));
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw malformed(`${before}${error.message}`);
  }
}

const malformed = (message: string) => new ApiError(400, 'ERR_MALFORMED_REQUEST', message);
