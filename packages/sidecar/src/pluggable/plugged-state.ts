import type { ComponentSettings } from '../components/component-settings.ts';
import type { StateHints, StateItem, StateOperation, StateStore } from '../state/state-store.ts';
import { asked } from './asked.ts';
import type { PluggedSocket } from './discover-plugged.ts';
import { featuresOf } from './features-of.ts';
import { pluggedQuery } from './plugged-query.ts';
import {
  type GetResponse,
  QueriableStateStore,
  StateStore as Service,
  StateOptions_StateConcurrency as StateConcurrency,
  StateOptions_StateConsistency as StateConsistency,
  TransactionalStateStore,
  TransactionalStoreMultiMaxSize,
} from './protos/components_pb.ts';
import { socketClient, type Waiting, waitedFor } from './socket-client.ts';

export async function pluggedState(
  { socketPath, services }: PluggedSocket,
  settings: ComponentSettings,
): Promise<StateStore> {
  const connection = socketClient(socketPath, settings.component);
  const client = connection.of(Service);
  const transactions = connection.of(TransactionalStateStore);
  const features = await featuresOf(connection, client, settings);
  const limited = services.has(TransactionalStoreMultiMaxSize.typeName);
  const limits = connection.of(TransactionalStoreMultiMaxSize);

  const write = async (operation: StateOperation, options: Waiting): Promise<void> => {
    const { case: kind, value } = requestOf(operation);
    if (kind === 'set') await asked(client.set(value, options));
    else await asked(client.delete(value, options));
  };
  return {
    capabilities: features,
    // It reads them itself, whatever they say.
    readTtl: () => Number.NaN,
    overlooksOptionsOf: ['set', 'delete', 'transacted set', 'transacted delete'],
    async get(key, signal, hints): Promise<StateItem | undefined> {
      return itemOf(await asked(client.get({ key, ...saidOf(hints) }, waitedFor(signal))));
    },
    async getAll(keys, signal, hints) {
      const wanted = {
        items: keys.map((key) => ({ key, ...saidOf(hints) })),
        options: { parallelism: BigInt(hints?.parallelism ?? 0) },
      };
      const { items } = await asked(client.bulkGet(wanted, waitedFor(signal)));
      const found = new Map(items.map((item) => [item.key, item]));
      return keys.map((key) => {
        const item = found.get(key);
        if (item === undefined) return undefined;
        return item.error === '' ? itemOf(item) : new Error(item.error);
      });
    },
    async write(operations, atomic, signal, metadata = {}) {
      const options = waitedFor(signal);
      if (!atomic) {
        if (operations.length === 1) return await write(operations[0]!, options);
        const requests = operations.map(requestOf);
        const sets = requests.flatMap((one) => (one.case === 'set' ? [one.value] : []));
        const deletes = requests.flatMap((one) => (one.case === 'delete' ? [one.value] : []));
        if (sets.length > 0) await asked(client.bulkSet({ items: sets }, options));
        if (deletes.length > 0) await asked(client.bulkDelete({ items: deletes }, options));
        return;
      }
      const requests = operations.map((operation) => ({ request: requestOf(operation) }));
      await asked(
        transactions.transact({ operations: requests, metadata: { ...metadata } }, options),
      );
    },
    ...(limited && {
      async largestTransaction() {
        return Number((await asked(limits.multiMaxSize({}))).maxSize);
      },
    }),
    ...(services.has(QueriableStateStore.typeName) && {
      query: pluggedQuery(connection.of(QueriableStateStore)),
    }),
    async close() {
      connection.close();
    },
  };
}

/** A component that has nothing says so with no data. */
function itemOf({
  data,
  etag,
  metadata,
}: Pick<GetResponse, 'data' | 'etag' | 'metadata'>): StateItem | undefined {
  if (data.length === 0) return undefined;
  return { value: Buffer.from(data), etag: etag?.value ?? '', metadata };
}

/** As a component is told it. */
function saidOf({ consistency = '', metadata = {} }: StateHints = {}) {
  return {
    metadata: { ...metadata },
    consistency: CONSISTENCY[consistency] ?? StateConsistency.CONSISTENCY_UNSPECIFIED,
  };
}

const CONSISTENCY: Readonly<Record<string, StateConsistency>> = {
  eventual: StateConsistency.CONSISTENCY_EVENTUAL,
  strong: StateConsistency.CONSISTENCY_STRONG,
};

function requestOf(operation: StateOperation) {
  const { etag, key } = operation;
  const hints = operation.hints ?? ownHints(operation);
  const { consistency, metadata } = saidOf(hints);
  const facts = {
    key,
    metadata,
    options: { concurrency: concurrencyOf(operation), consistency },
    ...(etag === undefined ? {} : { etag: { value: etag } }),
  };
  if (operation.kind === 'delete') return { case: 'delete' as const, value: facts };
  const { contentType = '' } = hints;
  const value = { ...facts, value: Buffer.from(operation.value), contentType };
  return { case: 'set' as const, value };
}

/** Of what no client has asked for. */
function ownHints(operation: StateOperation): StateHints {
  const ttlSeconds = operation.kind === 'set' ? operation.ttlSeconds : undefined;
  return ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } };
}

function concurrencyOf({ firstWrite, lastWrite }: StateOperation): StateConcurrency {
  if (firstWrite === true) return StateConcurrency.CONCURRENCY_FIRST_WRITE;
  return lastWrite === true
    ? StateConcurrency.CONCURRENCY_LAST_WRITE
    : StateConcurrency.CONCURRENCY_UNSPECIFIED;
}
