import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { StateItem, StateOperation, StateStore } from './state-store.ts';

/** A key, and the name of the secret it is: what was encrypted with it carries the name. */
export interface EncryptionKey {
  readonly name: string;
  /** 16, 24 or 32 bytes. */
  readonly bytes: Buffer;
}

export interface EncryptionKeys {
  /** Encrypts, and decrypts. */
  readonly primary: EncryptionKey;
  /** Decrypts what was written before the keys were changed. */
  readonly secondary?: EncryptionKey | undefined;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Between what is encrypted and the name of its key. */
const SEPARATOR = '||';

/**
 * A store that sees no values: they are encrypted before they get there, with
 * AES-GCM, and look as Dapr writes them (`primaryEncryptionKey`), so that
 * sidecars of both makes can share a store. Keys, etags and times to live stay
 * readable. A random nonce of 96 bits is for 2^32 values of one key at most
 * (NIST SP 800-38D, 8.3): change keys before.
 */
export function encryptedState(store: StateStore, keys: EncryptionKeys): StateStore {
  return {
    // Nothing can be looked for in what nobody can read.
    capabilities: store.capabilities.filter((one) => one !== 'QUERY_API'),
    seal: (value) => encrypt(value, keys.primary),
    readTtl: store.readTtl,
    overlooksOptionsOf: store.overlooksOptionsOf,
    async get(key, signal, hints) {
      const item = await store.get(key, signal, hints);
      return item === undefined ? undefined : { ...item, value: decrypt(item.value, keys) };
    },
    write: (operations, atomic, signal, metadata) =>
      store.write(
        operations.map((one) => sealed(one, keys.primary)),
        atomic,
        signal,
        metadata,
      ),
    ...(store.largestTransaction && {
      largestTransaction: () => store.largestTransaction!(),
    }),
    close: () => store.close(),
  };
}

function sealed(operation: StateOperation, key: EncryptionKey): StateOperation {
  if (operation.kind === 'delete') return operation;
  return { ...operation, value: encrypt(operation.value, key) };
}

function encrypt(value: string | Buffer, { bytes, name }: EncryptionKey): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(algorithm(bytes), bytes, nonce);
  const parts = [nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()];
  return Buffer.from(`${Buffer.concat(parts).toString('base64')}${SEPARATOR}${name}`);
}

/** @throws Error where it cannot be read: it is never given out as it lies there. */
function decrypt(stored: StateItem['value'], { primary, secondary }: EncryptionKeys) {
  const text = stored.toString();
  const at = text.lastIndexOf(SEPARATOR);
  const name = at < 0 ? '' : text.slice(at + SEPARATOR.length);
  if (name === '')
    throw new Error('could not decrypt data: encryption key name not found on record');
  const key = [primary, secondary].find((one) => one?.name === name);
  if (key === undefined) {
    throw new Error(
      `could not decrypt data: it was encrypted with the secret "${name}", which is neither primaryEncryptionKey nor secondaryEncryptionKey`,
    );
  }
  const all = Buffer.from(text.slice(0, at), 'base64');
  if (all.length < NONCE_BYTES + TAG_BYTES) throw unreadable(name);
  const decipher = createDecipheriv(algorithm(key.bytes), key.bytes, all.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(all.subarray(-TAG_BYTES));
  try {
    const body = all.subarray(NONCE_BYTES, -TAG_BYTES);
    return asWritten(Buffer.concat([decipher.update(body), decipher.final()]));
  } catch {
    throw unreadable(name);
  }
}

const unreadable = (name: string) =>
  new Error(
    `could not decrypt data: it is damaged, or the secret "${name}" is not the key it was encrypted with`,
  );

/** JSON as a text, since that is how the other stores give it back. */
function asWritten(bytes: Buffer): string | Buffer {
  const text = bytes.toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch {
    return bytes;
  }
}

function algorithm({ length }: Buffer): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  return length === 16 ? 'aes-128-gcm' : length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}
