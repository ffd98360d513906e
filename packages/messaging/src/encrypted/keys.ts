import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** A key for AES-256-GCM. */
export interface EncryptionKey {
  /**
   * Stands in clear beside each message, to find its key again: letters, digits, `.`, `_` and `-`, up to 64.
   *
   * @default the key's fingerprint, 8 hexadecimal digits
   */
  readonly id?: string;
  /** 32 random bytes, as `crypto.randomBytes(32)` or `openssl rand` makes them; never a password. */
  readonly key: Uint8Array;
}

export interface RingKey {
  readonly id: string;
  /** Tells this key from another of the same id; says nothing of it to whoever does not have it. */
  readonly fingerprint: string;
  readonly secret: KeyObject;
}

/** The keys at hand: the first encrypts, all of them decrypt. */
export interface KeyRing {
  readonly first: RingKey;
  readonly byId: ReadonlyMap<string, RingKey>;
}

const KEY_BYTES = 32;
const MOST_KEYS = 100;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

export function keyRing(name: string, given: readonly EncryptionKey[]): KeyRing {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_KEYS) {
    throw new TypeError(
      `${name} must be a list of 1 to ${MOST_KEYS} keys, the one to encrypt with first: [{ id, key }].`,
    );
  }
  const keys = given.map((each, index) => ringKey(`${name}[${index}]`, each));
  const byId = new Map<string, RingKey>();
  for (const [index, key] of keys.entries()) {
    if (byId.has(key.id)) {
      throw new TypeError(
        `${name}[${index}].id is "${key.id}" a second time: give each key an id of its own.`,
      );
    }
    byId.set(key.id, key);
  }
  const [first] = keys;
  if (first === undefined) throw new Error('unreachable: the list is not empty');
  return { first, byId };
}

function ringKey(name: string, { id, key }: EncryptionKey): RingKey {
  if (!(key instanceof Uint8Array) || key.byteLength !== KEY_BYTES) {
    const found = key instanceof Uint8Array ? `${key.byteLength} bytes` : `a ${typeof key}`;
    throw new TypeError(
      `${name}.key must be a Uint8Array of ${KEY_BYTES} bytes, not ${found}. \`openssl rand -base64 32\` makes one.`,
    );
  }
  const fingerprint = createHmac('sha256', key).update('holdfast key').digest('hex').slice(0, 8);
  if (id !== undefined && (typeof id !== 'string' || !KEY_ID.test(id))) {
    throw new TypeError(
      `${name}.id must be 1 to 64 letters, digits, ".", "_" or "-", not ${JSON.stringify(id)}.`,
    );
  }
  return { id: id ?? fingerprint, fingerprint, secret: createSecretKey(key) };
}

/**
 * Keys from text, the one to encrypt with first: a line each, `BASE64` or `ID BASE64`; empty lines and
 * those that begin with `#` do not count. Throws a `TypeError` that names `name`, the line and what may
 * stand there, and never the key.
 */
export function keysFromText(name: string, text: string): readonly EncryptionKey[] {
  const keys: EncryptionKey[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    const base64 = words.at(-1) ?? '';
    const key = Buffer.from(base64, 'base64');
    const good = /^[A-Za-z0-9+/]{43}=?$/.test(base64) && key.byteLength === KEY_BYTES;
    if (!good || words.length > 2) {
      throw new TypeError(
        `${name}, line ${index + 1}, must be a key of 32 bytes in Base64, or an id, a space and such a key. \`openssl rand -base64 32\` makes one.`,
      );
    }
    const [id] = words.length === 2 ? words : [];
    keys.push(id === undefined ? { key } : { id, key });
  }
  if (keys.length === 0) {
    throw new TypeError(`${name} holds no key: it must have a line \`[ID] BASE64\` for each.`);
  }
  return keys;
}
