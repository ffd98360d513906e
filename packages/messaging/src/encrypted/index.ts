export { eachReasonOnce, MOST_REASONS } from './each-reason-once.ts';
export { type EncryptedStore, encryptedStore } from './encrypted-store.ts';
export { type EncryptionKey, keysFromText } from './keys.ts';
export type { EncryptedStoreOptions, Unreadable } from './options.ts';
export type { KeyCount, RotationReport } from './rotation.ts';
