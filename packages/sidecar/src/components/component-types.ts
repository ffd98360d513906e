import type { OutputBinding } from '../bindings/binding.ts';
import type { OpenInput } from '../bindings/input-bindings.ts';
import type { ConfigurationStore } from '../configuration/configuration-store.ts';
import { proxyOf } from '../egress/proxy-of.ts';
import type { LockStore } from '../lock/lock-store.ts';
import type { Middleware } from '../middleware/middleware.ts';
import { rateLimit } from '../middleware/rate-limit.ts';
import { routeAlias } from '../middleware/route-alias.ts';
import { routerChecker } from '../middleware/router-checker.ts';
import { uppercase } from '../middleware/uppercase.ts';
import { NONE_PLUGGED } from '../pluggable/plugged-types.ts';
import { memoryPubSub } from '../pubsub/brokers/memory-pubsub.ts';
import type { PubSub } from '../pubsub/pubsub.ts';
import { meant } from '../resources/meant.ts';
import { envSecrets } from '../secrets/env-secrets.ts';
import { fileSecrets } from '../secrets/file-secrets.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { memoryState } from '../state/memory-state.ts';
import type { StateStore } from '../state/state-store.ts';
import type { ComponentSettings } from './component-settings.ts';
import { type TypeAndVersion, typeName } from './component-version.ts';
import type { ComponentsEnv } from './open-components.ts';

async function openSqlite(settings: ComponentSettings, env: ComponentsEnv) {
  const { sqliteState } = await import('../state/sqlite-state.ts');
  return await sqliteState(settings, env);
}

const openPostgres =
  (version: 'v1' | 'v2') => async (settings: ComponentSettings, env: ComponentsEnv) => {
    const { postgresState } = await import('../state/postgres-state.ts');
    return await postgresState(settings, env, version);
  };

/** What opens a component of one type and version, by the first table that has it; undefined where none does. */
export function openerOf<Open>(
  tables: readonly Readonly<Record<string, Open>>[],
  of: TypeAndVersion,
): Open | undefined {
  const name = typeName(of);
  return tables.find((table) => Object.hasOwn(table, name))?.[name];
}

export const isSecretStore = (
  of: TypeAndVersion,
  { plugged = NONE_PLUGGED }: Pick<ComponentsEnv, 'plugged'>,
): boolean => openerOf([plugged.secrets, SECRETS], of) !== undefined;

/** ` (did you mean …?)`, or nothing, for a type that is not here. */
export function meantType(type: string): string {
  const tables = [STATE, PUBSUB, LOCKS, CONFIGURATIONS, SECRETS, OUTPUTS, INPUTS, MIDDLEWARE];
  return meant(type, new Set(tables.flatMap((table) => Object.keys(table))));
}

/** Types that are known, with a version where it is not the first; those that need a driver load it when one is asked for. */
export const STATE: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<StateStore>>
> = {
  'state.in-memory': async (_settings, env) => memoryState(env.clock),
  'state.sqlite': openSqlite,
  'state.sqlite3': openSqlite,
  'state.redis': async (settings, { clock }) => {
    const { redisState } = await import('../state/redis-state.ts');
    return await redisState(settings, clock);
  },
  'state.postgresql': openPostgres('v1'),
  'state.postgresql/v2': openPostgres('v2'),
  'state.postgres': openPostgres('v1'),
  'state.postgres/v2': openPostgres('v2'),
};

const openMqtt = async (settings: ComponentSettings, env: ComponentsEnv) => {
  const { mqttPubSub } = await import('../pubsub/brokers/mqtt/mqtt-pubsub.ts');
  return await mqttPubSub(settings, env);
};

export const PUBSUB: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<PubSub>>
> = {
  'pubsub.in-memory': async ({ component }, { log }) =>
    memoryPubSub((topic, error) => {
      log.warn(`An event of ${topic} in ${component} is lost: ${(error as Error).message}`);
    }),
  'pubsub.redis': async (settings, env) => {
    const { redisPubSub } = await import('../pubsub/brokers/redis/redis-pubsub.ts');
    return await redisPubSub(settings, env);
  },
  'pubsub.kafka': async (settings, env) => {
    const { kafkaPubSub } = await import('../pubsub/brokers/kafka/kafka-pubsub.ts');
    return await kafkaPubSub(settings, env);
  },
  'pubsub.mqtt3': openMqtt,
  'pubsub.mqtt': openMqtt,
  'pubsub.rabbitmq': async (settings, env) => {
    const { rabbitPubSub } = await import('../pubsub/brokers/rabbit/rabbit-pubsub.ts');
    return await rabbitPubSub(settings, env);
  },
  'pubsub.sqlite': async (settings, env) => {
    const { sqlitePubSub } = await import('../pubsub/brokers/sqlite/sqlite-pubsub.ts');
    return await sqlitePubSub(settings, env);
  },
  'pubsub.jetstream': async (settings, env) => {
    const { jetstreamPubSub } = await import('../pubsub/brokers/jetstream/jetstream-pubsub.ts');
    return await jetstreamPubSub(settings, env);
  },
};

export const LOCKS: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<LockStore>>
> = {
  'lock.redis': async (settings, { log }) => {
    const { redisLock } = await import('../lock/redis-lock.ts');
    return await redisLock(settings, log);
  },
};

const openPostgresConfiguration = async (settings: ComponentSettings, env: ComponentsEnv) => {
  const { postgresConfiguration } = await import('../configuration/postgres-configuration.ts');
  return await postgresConfiguration(settings, env);
};

export const CONFIGURATIONS: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<ConfigurationStore>>
> = {
  'configuration.redis': async (settings, env) => {
    const { redisConfiguration } = await import('../configuration/redis-configuration.ts');
    return await redisConfiguration(settings, env);
  },
  'configuration.postgresql': openPostgresConfiguration,
  'configuration.postgres': openPostgresConfiguration,
};

export const SECRETS: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<SecretStore>>
> = {
  'secretstores.local.env': async (settings, env) =>
    envSecrets(env.variables, settings.text('prefix') ?? ''),
  'secretstores.local.file': (settings) => fileSecrets(settings),
};

const openPostgresBinding = async (settings: ComponentSettings, env: ComponentsEnv) => {
  const { postgresBinding } = await import('../bindings/postgres-binding.ts');
  return await postgresBinding(settings, env);
};

export const OUTPUTS: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<OutputBinding>>
> = {
  'bindings.http': async (settings, { clock, variables }) => {
    const { httpBinding } = await import('../bindings/http-binding.ts');
    return await httpBinding(settings, clock, proxyOf(variables));
  },
  'bindings.localstorage': async (settings) => {
    const { localStorageBinding } = await import('../bindings/localstorage-binding.ts');
    return await localStorageBinding(settings);
  },
  'bindings.kafka': async (settings, env) => {
    const { kafkaOutput } = await import('../bindings/kafka-binding.ts');
    return await kafkaOutput(settings, env);
  },
  'bindings.redis': async (settings) => {
    const { redisBinding } = await import('../bindings/redis-binding.ts');
    return await redisBinding(settings);
  },
  'bindings.postgresql': openPostgresBinding,
  'bindings.postgres': openPostgresBinding,
};

export const INPUTS: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<OpenInput['binding']>>
> = {
  'bindings.cron': async (settings, { clock, log }) => {
    const { cronBinding } = await import('../bindings/cron-binding.ts');
    return cronBinding(settings, clock, log);
  },
  'bindings.kafka': async (settings, env) => {
    const { kafkaInput } = await import('../bindings/kafka-binding.ts');
    return await kafkaInput(settings, env);
  },
};

export const MIDDLEWARE: Readonly<
  Record<string, (settings: ComponentSettings, env: ComponentsEnv) => Promise<Middleware>>
> = {
  'middleware.http.uppercase': async (settings) => uppercase(settings),
  'middleware.http.routeralias': async (settings) => routeAlias(settings),
  'middleware.http.routerchecker': async (settings) => routerChecker(settings),
  'middleware.http.ratelimit': async (settings, { clock }) => rateLimit(settings, clock),
  'middleware.http.bearer': async (settings, { clock, log, variables }) => {
    const { bearer } = await import('../middleware/bearer.ts');
    return await bearer(settings, { clock, log, proxyOf: proxyOf(variables) });
  },
};
