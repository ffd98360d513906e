export { type Inbox, type InboxDatabase, type InboxOptions, sqliteInbox } from './inbox.ts';
export { SQLITE_STORE_DEFAULTS, type SqliteStoreOptions } from './options.ts';
export { sqliteStore } from './sqlite-store.ts';
