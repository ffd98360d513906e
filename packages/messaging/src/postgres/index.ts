export { type PostgresInbox, type PostgresInboxOptions, postgresInbox } from './inbox.ts';
export type { PooledClient, PostgresClient, PostgresPool, PostgresRows } from './module.ts';
export { POSTGRES_STORE_DEFAULTS, type PostgresStoreOptions } from './options.ts';
export { type PostgresStore, postgresStore } from './postgres-store.ts';
