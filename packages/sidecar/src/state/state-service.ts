import type { ComponentCalls } from '../components/component-calls.ts';
import { KEY_SEPARATOR } from '../components/key-prefix.ts';
import type { OpenStateStore } from '../components/open-components.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { WordedError } from '../pluggable/worded-error.ts';
import { ApiError } from '../server/api-error.ts';
import type { TraceFacts } from '../trace/tracing.ts';
import { eachOf } from './each-of.ts';
import type { KeyedStep } from './outbox/announcements.ts';
import type { StateOutbox } from './outbox/state-outbox.ts';
import { parseQuery } from './query/parse-query.ts';
import type { QueryPage } from './query/state-query.ts';
import {
  illegalKey,
  queryFailed,
  queryUnsupported,
  storeNotConfigured,
  storeNotFound,
  transactionsUnsupported,
  transactionTooLarge,
} from './state-error.ts';
import {
  type BulkGetRequest,
  type DeleteRequest,
  deleteOperation,
  isOperation,
  lanesOf,
  type Metadata,
  type StateRequest,
  setOperation,
  type TransactionRequest,
} from './state-requests.ts';
import {
  EtagMismatchError,
  InvalidEtagError,
  type StateHints,
  type StateItem,
  type StateOperation,
  type StateStore,
} from './state-store.ts';

/** One key of a bulk get. */
export interface BulkItem {
  readonly key: string;
  readonly item?: StateItem | undefined;
  readonly error?: string;
}

/** Dapr's state API, whatever the protocol: keys with their prefix, policies, errors as `ApiError`. */
export class StateService {
  readonly #stores: ReadonlyMap<string, OpenStateStore>;
  readonly #calls: ComponentCalls;
  readonly #appId: string | null;
  readonly #outbox: StateOutbox;

  /** Errors name `appId` where the protocol's do: over gRPC they do not. */
  constructor(
    stores: ReadonlyMap<string, OpenStateStore>,
    calls: ComponentCalls,
    appId: string | null,
    outbox: StateOutbox,
  ) {
    this.#stores = stores;
    this.#calls = calls;
    this.#appId = appId;
    this.#outbox = outbox;
  }

  /** The same service as the other protocol has it. */
  withoutAppId(): StateService {
    return new StateService(this.#stores, this.#calls, null, this.#outbox);
  }

  async get(name: string, key: string, hints: StateHints): Promise<StateItem | undefined> {
    const { store, keyPrefix } = this.#find(name);
    const full = fullKey(name, keyPrefix, key);
    return await this.#calls
      .run('state', name, 'get', (call) => store.get(full, call?.signal, hints))
      .catch((error: unknown) => {
        throw failure('ERR_STATE_GET', `fail to get ${key} from state store ${name}`, error);
      });
  }

  async bulkGet(
    name: string,
    { keys, metadata, parallelism }: BulkGetRequest,
  ): Promise<readonly BulkItem[]> {
    const { store, keyPrefix } = this.#find(name);
    const full = keys.map((key) => fullKey(name, keyPrefix, key));
    const found = await this.#calls
      .run(
        'state',
        name,
        'bulk_get',
        (call) =>
          store.getAll?.(full, call?.signal, { metadata, parallelism }) ??
          getEach(store, full, lanesOf(parallelism), call?.signal),
      )
      .catch((error: unknown) => {
        throw failure('ERR_STATE_BULK_GET', undefined, error);
      });
    return keys.map((key, at) => bulkItem(key, found[at]));
  }

  /** `query` is what the address says for all items. */
  async save(name: string, requests: readonly StateRequest[], query: Metadata): Promise<void> {
    const { store, keyPrefix } = this.#find(name);
    const keys = requests.map(({ key }) => {
      if (key === '') throw new ApiError(400, 'ERR_MALFORMED_REQUEST', '"key" is a required field');
      return fullKey(name, keyPrefix, key);
    });
    if (requests.length === 0) return;
    const work = eachOf(
      store,
      requests.map((request, at) => () => setOperation(keys[at]!, request, query, store)),
    );
    await this.#calls.run('state', name, 'set', work).catch((error: unknown) => {
      throw failure('ERR_STATE_SAVE', `failed saving state in state store ${name}`, error);
    });
  }

  async delete(name: string, key: string, request: DeleteRequest): Promise<void> {
    const { store, keyPrefix } = this.#find(name);
    const full = fullKey(name, keyPrefix, key);
    const work = eachOf(store, [() => deleteOperation(full, request, store)]);
    await this.#calls.run('state', name, 'delete', work).catch((error: unknown) => {
      throw failure('ERR_STATE_DELETE', `failed deleting state with key ${key}`, error);
    });
  }

  /** Each for itself. */
  async deleteBulk(
    name: string,
    requests: readonly (DeleteRequest & Pick<StateRequest, 'key'>)[],
  ): Promise<void> {
    const { store, keyPrefix } = this.#find(name);
    const keys = requests.map(({ key }) => fullKey(name, keyPrefix, key));
    if (requests.length === 0) return;
    const work = eachOf(
      store,
      requests.map((one, at) => () => deleteOperation(keys[at]!, one, store)),
    );
    await this.#calls.run('state', name, 'bulk_delete', work).catch((error: unknown) => {
      throw failure('ERR_STATE_BULK_DELETE', `failed deleting state in state store ${name}`, error);
    });
  }

  async transact(
    name: string,
    { metadata, operations }: TransactionRequest,
    trace: TraceFacts,
  ): Promise<void> {
    const open = this.#find(name);
    const { store, keyPrefix, outbox } = open;
    if (!store.capabilities.includes('TRANSACTIONAL')) throw transactionsUnsupported(name);
    const given = operations.map(({ operation: kind, request }): KeyedStep => {
      if (!isOperation(kind)) {
        const message = `operation type ${kind} not supported`;
        throw new ApiError(400, 'ERR_NOT_SUPPORTED_STATE_OPERATION', message);
      }
      const key = fullKey(name, keyPrefix, request.key, this.#appId === null ? request.key : '');
      return { kind, key, request };
    });
    if (given.length === 0) return;
    const largest = (await store.largestTransaction?.()) ?? 0;
    if (largest > 0 && given.length > largest) {
      throw transactionTooLarge(name, given.length, largest);
    }
    const { steps, markers } =
      outbox === undefined
        ? { steps: given, markers: [] }
        : await this.#outbox.announce(open, outbox, given, trace);
    const work = (call?: { readonly signal: AbortSignal }) => {
      const wanted = steps.map(({ key, kind, request }) =>
        kind === 'upsert'
          ? setOperation(key, request, {}, store, 'transacted set')
          : deleteOperation(key, request, store, 'transacted delete'),
      );
      return store.write(
        [...wanted, ...markers.map(markerOperation)],
        true,
        call?.signal,
        metadata,
      );
    };
    await this.#calls.run('state', name, 'transaction', work).catch((error: unknown) => {
      const { message } = failure('', undefined, error);
      const text = `error while executing state transaction: ${message}`;
      throw new ApiError(500, 'ERR_STATE_TRANSACTION', text, { cause: error });
    });
  }

  /** Among the items of this prefix only; daprd looks through those of all applications that share the store. */
  async query(name: string, text: string, metadata: Metadata): Promise<QueryPage> {
    // Dapr does not say here who asked.
    const { store, keyPrefix } = this.#find(name, null);
    if (store.seal !== undefined)
      throw queryFailed(name, 'cannot query encrypted store', undefined);
    if (store.query === undefined) throw queryUnsupported(name);
    const work = async (call?: { readonly signal: AbortSignal }) =>
      store.query!({ ...parseQuery(text), metadata }, keyPrefix, call?.signal);
    const { items, ...rest } = await this.#calls
      .run('state', name, 'query', work)
      .catch((error: unknown) => {
        throw queryFailed(name, failureWords(error), error);
      });
    return {
      ...rest,
      items: items.map((one) => ({ ...one, key: one.key.slice(keyPrefix.length) })),
    };
  }

  /** @throws ApiError where there is no such store. */
  require(name: string): void {
    this.#find(name);
  }

  #find(name: string, appId: string | null = this.#appId): OpenStateStore {
    const found = this.#stores.get(name);
    if (found !== undefined) return found;
    throw this.#stores.size === 0 ? storeNotConfigured(name, appId) : storeNotFound(name, appId);
  }
}

/** What tells the relay of an outbox that the items were written, as Dapr writes it. */
const markerOperation = (key: string): StateOperation => ({
  kind: 'set',
  key,
  value: '"0"',
  firstWrite: false,
});

function fullKey(store: string, prefix: string, key: string, field = key): string {
  if (key.includes(KEY_SEPARATOR)) throw illegalKey(store, key, field);
  return `${prefix}${key}`;
}

/** One by one, so many abreast; an error is of one key. */
async function getEach(
  store: StateStore,
  keys: readonly string[],
  parallelism: number,
  signal: AbortSignal | undefined,
): Promise<readonly (StateItem | Error | undefined)[]> {
  const found: (StateItem | Error | undefined)[] = [];
  const take = async (from: number) => {
    for (let at = from; at < keys.length; at += parallelism) {
      found[at] = await store.get(keys[at]!, signal).catch((error: Error) => error);
    }
  };
  const lanes = Array.from({ length: Math.min(parallelism, keys.length) }, (_, lane) => lane);
  await Promise.all(lanes.map(take));
  return found;
}

const bulkItem = (key: string, found: StateItem | Error | undefined): BulkItem =>
  found instanceof Error ? { key, error: found.message } : { key, item: found };

/** Without `what` the words are the store's alone. */
function failure(errorCode: string, what: string | undefined, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const words = failureWords(error);
  const message = what === undefined ? words : `${what}: ${words}`;
  return new ApiError(statusOf(error), errorCode, message, { cause: error });
}

function statusOf(error: unknown): number {
  if (error instanceof WordedError) return error.status;
  if (error instanceof EtagMismatchError) return 409;
  return error instanceof InvalidEtagError ? 400 : 500;
}
