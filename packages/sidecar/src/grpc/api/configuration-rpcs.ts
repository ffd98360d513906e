import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { forClient } from '../../components/waiting-client.ts';
import type { ConfigurationService } from '../../configuration/configuration-service.ts';
import type { ConfigurationItem } from '../../configuration/configuration-store.ts';
import { ApiError } from '../../server/api-error.ts';
import type {
  GetConfigurationRequest,
  SubscribeConfigurationRequest,
  UnsubscribeConfigurationRequest,
} from '../protos/configuration_pb.ts';
import type { Dapr } from '../protos/dapr_pb.ts';
import { MessageQueue } from '../wire/message-queue.ts';
import { SAID_ERROR } from './call-guard.ts';

type ConfigurationRpcs = Pick<
  ServiceImpl<typeof Dapr>,
  | 'getConfiguration'
  | 'getConfigurationAlpha1'
  | 'subscribeConfiguration'
  | 'subscribeConfigurationAlpha1'
  | 'unsubscribeConfiguration'
  | 'unsubscribeConfigurationAlpha1'
>;

/** Changes that a client which reads slowly may be behind; it loses the subscription then. */
const MAX_WAITING = 1_000;

/** Dapr's configuration over gRPC: who subscribes is told in the same call. */
export function configurationRpcs(service: ConfigurationService): ConfigurationRpcs {
  const get = async ({ storeName, keys }: GetConfigurationRequest) => {
    const items = Object.entries(await service.get(storeName, keys));
    return { items: Object.fromEntries(items.map(([key, item]) => [key, message(item)])) };
  };
  const unsubscribe = async (
    { storeName, id }: UnsubscribeConfigurationRequest,
    { values }: HandlerContext,
  ) => {
    const refused = (message: string) => {
      values.set(SAID_ERROR, 'ERR_CONFIGURATION_UNSUBSCRIBE');
      return { ok: false, message };
    };
    // Looked for before the store is, as in daprd.
    if (!service.knows(id)) {
      return refused(
        `failed to unsubscribe to configuration request ${id}: subscription does not exist`,
      );
    }
    try {
      await service.unsubscribe(storeName, id);
      return { ok: true };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return refused(error.message);
    }
  };
  async function* subscribe(request: SubscribeConfigurationRequest, { signal }: HandlerContext) {
    const { keys, metadata, storeName } = request;
    const changes = new MessageQueue<{ id: string; items: Record<string, Item> }>(MAX_WAITING);
    const changed = async (of: string, key: string, item: ConfigurationItem | undefined) => {
      changes.put({ id: of, items: { [key]: message(item) } });
    };
    const { id, ended } = await forClient(
      () => signal,
      () => service.watch(storeName, keys, changed, metadata),
    );
    const end = () => changes.end();
    ended.addEventListener('abort', end);
    signal.addEventListener('abort', end);
    try {
      yield { id };
      yield* changes;
    } finally {
      signal.removeEventListener('abort', end);
      // It may have been ended by name meanwhile.
      if (!ended.aborted) await service.unsubscribe(storeName, id).catch(() => {});
    }
  }
  return {
    getConfiguration: get,
    getConfigurationAlpha1: get,
    subscribeConfiguration: subscribe,
    subscribeConfigurationAlpha1: subscribe,
    unsubscribeConfiguration: unsubscribe,
    unsubscribeConfigurationAlpha1: unsubscribe,
  };
}

type Item = ReturnType<typeof message>;

/** An item that is gone is shown as an empty one. */
const message = (item: ConfigurationItem | undefined) => ({
  value: item?.value ?? '',
  version: item?.version ?? '',
  metadata: { ...item?.metadata },
});
