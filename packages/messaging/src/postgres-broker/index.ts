export type {
  PooledClient,
  PostgresClient,
  PostgresPool,
  PostgresRows,
} from '../postgres/module.ts';
export { POSTGRES_BROKER_DEFAULTS, type PostgresBrokerOptions } from './options.ts';
export { type PostgresBroker, type PublishMessage, postgresBroker } from './postgres-broker.ts';
