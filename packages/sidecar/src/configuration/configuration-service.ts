import { randomUUID } from 'node:crypto';
import type { Pipeline } from '@holdfast/core';
import type { AskApp } from '../app/ask-app.ts';
import type { ComponentCalls } from '../components/component-calls.ts';
import { waitedFor } from '../components/waited-for.ts';
import { writeStruct } from '../go-json/write-json.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { DeliveryError } from '../pubsub/deliver/delivery-error.ts';
import { ApiError } from '../server/api-error.ts';
import type {
  ConfigurationItem,
  ConfigurationItems,
  ConfigurationStore,
} from './configuration-store.ts';

export interface ConfigurationServiceOptions {
  readonly stores: ReadonlyMap<string, ConfigurationStore>;
  readonly calls: ComponentCalls;
  /** Undefined where there is no application to tell of changes. */
  readonly ask: AskApp | undefined;
  /** The inbound policies of a component; undefined where there are none. */
  readonly inbound: (store: string) => Pipeline | undefined;
}

/** Clients begin them; what nobody ends must not add up for ever. */
const MAX_SUBSCRIPTIONS = 1_000;

/** Dapr's configuration, whatever the protocol; errors are `ApiError`. */
export class ConfigurationService {
  readonly #options: ConfigurationServiceOptions;
  readonly #subscriptions = new Map<string, AbortController>();

  constructor(options: ConfigurationServiceOptions) {
    this.#options = options;
  }

  /** Those of the keys that are there; all, where none is named. */
  async get(name: string, keys: readonly string[]): Promise<ConfigurationItems> {
    const store = this.#find(name);
    return await this.#options.calls
      .run('configuration', name, 'get', (call) => store.get(keys, call?.signal))
      .catch((error: unknown) => {
        const what = `failed to get ${goList(keys)} from Configuration store ${name}`;
        throw failed('ERR_CONFIGURATION_GET', what, error);
      });
  }

  /** The application is told of changes from then on; resolves with the subscription's id. */
  async subscribe(name: string, keys: readonly string[], metadata: Metadata = {}): Promise<string> {
    this.#find(name);
    const { ask } = this.#options;
    if (ask === undefined) {
      const message = 'app channel is not initialized. cannot subscribe to configuration updates';
      throw new ApiError(500, 'ERR_APP_CHANNEL_NIL', message);
    }
    const { id } = await this.watch(
      name,
      keys,
      (id, key, item) => this.#tell(ask, name, id, key, item),
      metadata,
    );
    return id;
  }

  /** `changed` hears of changes from then on, until somebody unsubscribes: `ended` aborts then. */
  async watch(
    name: string,
    keys: readonly string[],
    changed: (id: string, key: string, item: ConfigurationItem | undefined) => Promise<void>,
    metadata: Metadata = {},
  ): Promise<{ readonly id: string; readonly ended: AbortSignal }> {
    const store = this.#find(name);
    const { calls } = this.#options;
    const what = `failed to subscribe ${goList(keys)} from Configuration store ${name}`;
    const code = 'ERR_CONFIGURATION_SUBSCRIBE';
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      const why = new Error(`there are ${MAX_SUBSCRIPTIONS} subscriptions already; end one first`);
      throw failed(code, what, why);
    }
    const id = randomUUID();
    const ending = new AbortController();
    const heard = (key: string, item: ConfigurationItem | undefined) => changed(id, key, item);
    this.#subscriptions.set(id, ending);
    await calls
      .run('configuration', name, 'subscribe', async (call) => {
        // One that comes when its attempt is over must not tell of changes beside the next one.
        const attempt = new AbortController();
        const ended = AbortSignal.any([ending.signal, attempt.signal]);
        try {
          const begun = store.subscribe(keys, heard, ended, metadata);
          await (call === undefined ? begun : waitedFor(begun, call.signal));
        } catch (error) {
          attempt.abort();
          throw error;
        }
      })
      .catch((error: unknown) => {
        this.#subscriptions.delete(id);
        throw failed(code, what, error);
      });
    return { id, ended: ending.signal };
  }

  /** Whether somebody subscribes by that id. */
  knows(id: string): boolean {
    return this.#subscriptions.has(id);
  }

  /** @throws ApiError, where there is no such subscription, with Dapr's words in `cause`. */
  async unsubscribe(name: string, id: string): Promise<void> {
    const { missing = (of: string) => `subscription with id ${of} does not exist` } =
      this.#find(name);
    await this.#options.calls
      .run('configuration', name, 'unsubscribe', async () => {
        const ending = this.#subscriptions.get(id);
        if (ending === undefined) throw new Error(missing(id));
        this.#subscriptions.delete(id);
        ending.abort();
      })
      .catch((error: unknown) => {
        const what = `failed to unsubscribe to configuration request ${id}`;
        throw failed('ERR_CONFIGURATION_UNSUBSCRIBE', what, error);
      });
  }

  async #tell(
    ask: AskApp,
    name: string,
    id: string,
    key: string,
    item: ConfigurationItem | undefined,
  ): Promise<void> {
    // As Go's encoder sends it.
    const body = Buffer.from(`${writeStruct({ id, items: { [key]: item ?? {} } })}\n`);
    const path = `/configuration/${encodeURIComponent(name)}/${encodeURIComponent(key)}`;
    const headers = ['content-type', 'application/json', 'content-length', String(body.length)];
    const once = async (signal?: AbortSignal) => {
      const { status } = await ask({ method: 'POST', path, headers, body }, signal);
      // No other, as in Dapr.
      if (status === 200) return;
      throw new DeliveryError(`the application answered ${status} to ${path}`, status);
    };
    const pipeline = this.#options.inbound(name);
    await (pipeline === undefined ? once() : pipeline.execute(({ signal }) => once(signal)));
  }

  #find(name: string): ConfigurationStore {
    const found = this.#options.stores.get(name);
    if (found !== undefined) return found;
    if (this.#options.stores.size === 0) {
      const none = 'configuration stores not configured';
      throw new ApiError(500, 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED', none);
    }
    const message = `configuration store ${name} not found`;
    throw new ApiError(400, 'ERR_CONFIGURATION_STORE_NOT_FOUND', message);
  }
}

type Metadata = Readonly<Record<string, string>>;

/** A list as Go prints it. */
const goList = (keys: readonly string[]): string => `[${keys.join(' ')}]`;

const failed = (code: string, what: string, cause: unknown) =>
  new ApiError(500, code, `${what}: ${failureWords(cause)}`, { cause });
