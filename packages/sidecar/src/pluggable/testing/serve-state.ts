import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { BadRequestSchema } from '../../grpc/protos/error_details_pb.ts';
import {
  EtagMismatchError,
  type StateOperation,
  type StateStore as Store,
} from '../../state/state-store.ts';
import {
  type DeleteRequest,
  type SetRequest,
  StateOptions_StateConcurrency as StateConcurrency,
  StateStore,
  TransactionalStateStore,
} from '../protos/components_pb.ts';

/** Offers a state store as a pluggable component does. */
export function serveState(router: ConnectRouter, store: Store): void {
  const write = async (operations: readonly StateOperation[], atomic: boolean) => {
    try {
      await store.write(operations, atomic);
    } catch (error) {
      throw wordedFor(error as Error);
    }
    return {};
  };
  const get = async (key: string) => {
    const item = await store.get(key);
    if (item === undefined) return {};
    const metadata: Record<string, string> =
      item.expiresAt === undefined ? {} : { ttlExpireTime: item.expiresAt };
    return { data: Buffer.from(item.value), etag: { value: item.etag }, metadata };
  };
  router.service(StateStore, {
    init: () => ({}),
    features: () => ({ features: [...store.capabilities] }),
    ping: () => ({}),
    get: ({ key }) => get(key),
    set: (request) => write([setOf(request)], false),
    delete: (request) => write([deleteOf(request)], false),
    bulkGet: async ({ items }) => ({
      items: await Promise.all(items.map(async ({ key }) => ({ key, ...(await get(key)) }))),
    }),
    bulkSet: ({ items }) => write(items.map(setOf), false),
    bulkDelete: ({ items }) => write(items.map(deleteOf), false),
  });
  router.service(TransactionalStateStore, {
    transact: ({ operations }) =>
      write(
        operations.flatMap(({ request }): StateOperation[] => {
          if (request.case === 'set') return [setOf(request.value)];
          return request.case === 'delete' ? [deleteOf(request.value)] : [];
        }),
        true,
      ),
  });
}

const isFirst = ({ options }: Pick<SetRequest, 'options'>): boolean =>
  options?.concurrency === StateConcurrency.CONCURRENCY_FIRST_WRITE;

function setOf(request: SetRequest): StateOperation {
  const { etag, key, metadata, value } = request;
  const ttlSeconds =
    metadata.ttlInSeconds === undefined ? undefined : Number(metadata.ttlInSeconds);
  const firstWrite = isFirst(request);
  return { kind: 'set', key, etag: etag?.value, value: Buffer.from(value), firstWrite, ttlSeconds };
}

function deleteOf(request: DeleteRequest): StateOperation {
  const { etag, key } = request;
  return { kind: 'delete', key, etag: etag?.value, firstWrite: isFirst(request) };
}

/** An etag that does not match is said by a violation of the field `etag`. */
function wordedFor(error: Error): Error {
  if (!(error instanceof EtagMismatchError)) return error;
  const value = create(BadRequestSchema, {
    fieldViolations: [{ field: 'etag', description: error.message }],
  });
  return new ConnectError('etag', Code.FailedPrecondition, undefined, [
    { desc: BadRequestSchema, value },
  ]);
}
