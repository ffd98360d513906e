export { SQLITE_BROKER_DEFAULTS, type SqliteBrokerOptions } from './options.ts';
export { type SqliteBroker, sqliteBroker } from './sqlite-broker.ts';
