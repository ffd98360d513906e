import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { exchange } from '../../../../bindings/http-exchange.ts';
import { type EgressPool, egressPool } from '../../../../egress/egress-pool.ts';
import { type ProxyOf, WITHOUT_PROXY } from '../../../../egress/proxy-of.ts';
import { type AvroType, avroSchema } from './avro-schema.ts';
import type { RegistrySettings } from './registry-settings.ts';

/** Schemas that are kept apart; those of other topics and times are asked for again. */
const MOST_SCHEMAS = 1_000;
const ANSWER_LIMIT_MS = 5_000;
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;

export interface Schema {
  readonly id: number;
  readonly type: AvroType;
}

export interface RegistryEnv {
  readonly clock: Clock;
  readonly log: Logger;
  /** @default none */
  readonly proxyOf?: ProxyOf;
}

interface Latest {
  readonly schema: Schema;
  readonly untilMs: number;
}

/**
 * Confluent's registry of schemas. What an id stands for never changes, so it is kept; which schema
 * is the latest of a topic is asked again after a while, and the one in hand does for as long as the
 * registry is away.
 */
export class SchemaRegistry {
  readonly #settings: RegistrySettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #byId = new Map<number, Schema>();
  readonly #latest = new Map<string, Latest>();
  readonly #asking = new Map<string, Promise<Schema>>();
  readonly #pool: EgressPool;

  constructor(settings: RegistrySettings, { clock, log, proxyOf = WITHOUT_PROXY }: RegistryEnv) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    const at = new URL(settings.url);
    this.#pool = egressPool(at.origin, { connections: 4 }, proxyOf(at));
  }

  async byId(id: number): Promise<Schema> {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    return await this.#once(`/schemas/ids/${id}`, async (path) => {
      const { schema } = await this.#ask(path);
      return this.#keep({ id, type: typeOf(schema) });
    });
  }

  /** Of the values of a topic. */
  async latest(topic: string): Promise<Schema> {
    const held = this.#latest.get(topic);
    if (held !== undefined && this.#clock.now() < held.untilMs) return held.schema;
    const subject = encodeURIComponent(`${topic}-value`);
    return await this.#once(`/subjects/${subject}/versions/latest`, async (path) => {
      try {
        const { id, schema } = await this.#ask(path);
        if (!Number.isInteger(id)) throw new Error(`${this.#settings.url}${path} names no id`);
        const found = this.#keep({ id: id as number, type: typeOf(schema) });
        this.#hold(topic, found);
        return found;
      } catch (error) {
        if (held === undefined || error instanceof RefusedError) throw error;
        this.#log.warn(
          `The latest schema of ${topic} cannot be had, the one in hand does: ${(error as Error).message}`,
        );
        this.#hold(topic, held.schema);
        return held.schema;
      }
    });
  }

  close(): void {
    void this.#pool.destroy();
  }

  #keep(schema: Schema): Schema {
    if (this.#settings.latestForMs > 0) keepUpTo(MOST_SCHEMAS, this.#byId, schema.id, schema);
    return schema;
  }

  #hold(topic: string, schema: Schema): void {
    const { latestForMs } = this.#settings;
    if (latestForMs === 0) return;
    const untilMs = this.#clock.now() + latestForMs;
    keepUpTo(MOST_SCHEMAS, this.#latest, topic, { schema, untilMs });
  }

  /** However many want one at a time. */
  #once(path: string, ask: (path: string) => Promise<Schema>): Promise<Schema> {
    const asking = this.#asking.get(path);
    if (asking !== undefined) return asking;
    const asked = ask(path).finally(() => this.#asking.delete(path));
    this.#asking.set(path, asked);
    return asked;
  }

  async #ask(path: string): Promise<{ readonly id?: unknown; readonly schema?: unknown }> {
    const { key, url } = this.#settings;
    const { pathname } = new URL(url);
    const headers = ['content-type', 'application/vnd.schemaregistry.v1+json'];
    if (key !== undefined) {
      const pair = Buffer.from(`${key.name}:${key.secret}`).toString('base64');
      headers.push('authorization', `Basic ${pair}`);
    }
    const limit = new AbortController();
    const timer = this.#clock.timer(ANSWER_LIMIT_MS, () =>
      limit.abort(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)),
    );
    const under = pathname === '/' ? '' : pathname;
    const request = { method: 'GET', path: `${under}${path}`, headers, body: null };
    let answer: Awaited<ReturnType<typeof exchange>>;
    try {
      answer = await exchange(this.#pool, request, LONGEST_ANSWER_BYTES, limit.signal);
    } catch (error) {
      throw new Error(`GET ${url}${path}: ${(error as Error).message}`);
    } finally {
      timer.cancel();
    }
    const text = answer.body.toString('utf8');
    if (answer.status < 200 || answer.status > 299) {
      throw new RefusedError(text === '' ? `${answer.status} ${answer.reason}` : text);
    }
    try {
      return JSON.parse(text) as { readonly id?: unknown; readonly schema?: unknown };
    } catch {
      throw new Error(`GET ${url}${path}: the answer is no JSON`);
    }
  }
}

/** The registry was there, and said no. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

function typeOf(schema: unknown): AvroType {
  if (typeof schema !== 'string') throw new Error('the registry answered without a schema');
  try {
    return avroSchema(schema);
  } catch (error) {
    throw new Error(`the schema cannot be read: ${(error as Error).message}`);
  }
}

/** The oldest goes first. */
function keepUpTo<Key, Value>(most: number, map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as Key);
}
