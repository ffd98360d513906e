import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Message } from '../message.ts';
import type { KeyRing, RingKey } from './keys.ts';
import { NONCE_BYTES, nextNonce } from './nonces.ts';
import { SEALED_HEADER } from './sealed-mark.ts';

/** Raised with every change of what stands in a body; a newer one is not guessed at. */
const FORMAT = '1';
const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** `waits`: the keys at hand are to blame. `broken`: the message is, and no key will help. */
export type Opened<M extends Message = Message> =
  | { readonly kind: 'open'; readonly message: M }
  | { readonly kind: 'waits'; readonly why: string }
  | { readonly kind: 'broken'; readonly why: string };

/**
 * The message with its body and all of its headers encrypted (AES-256-GCM) into the body:
 *
 *     nonce (12) | encrypted: length of headers (4), headers as JSON, body | tag (16)
 *
 * Id, topic and key are authenticated with it, so that a body does not open as another message's. The
 * nonce is random: NIST SP 800-38D (section 8.3) allows 2^32 messages for one key then.
 */
export function seal<M extends Message>(message: M, key: RingKey): M {
  const nonce = nextNonce();
  const cipher = createCipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
  const mark = `${FORMAT} ${key.id} ${key.fingerprint}`;
  cipher.setAAD(bound(mark, message));
  // In one piece: each call of the cipher costs as much as encrypting a kilobyte.
  const text = cipher.update(plainBytes(message));
  cipher.final();
  const body = Buffer.concat([nonce, text, cipher.getAuthTag()]);
  return { ...message, body, headers: { [SEALED_HEADER]: mark } };
}

/** What `seal` was given, by whichever key of the ring it was given; a plain message as it is. */
export function unseal<M extends Message>(message: M, ring: KeyRing): Opened<M> {
  const mark = message.headers[SEALED_HEADER];
  if (mark === undefined) return { kind: 'open', message };
  const [format = '', id = '', fingerprint = ''] = mark.split(' ');
  if (format !== FORMAT) {
    const why = `cannot be decrypted: it was encrypted by a newer Holdfast (format ${JSON.stringify(format)}, this one knows ${FORMAT}). Upgrade this process.`;
    return { kind: 'waits', why };
  }
  const key = ring.byId.get(id);
  if (key === undefined) {
    const why = `cannot be decrypted: key ${JSON.stringify(id)} is not among the keys given. Give it again, after the one that encrypts.`;
    return { kind: 'waits', why };
  }
  if (key.fingerprint !== fingerprint) {
    const why = `cannot be decrypted: key ${JSON.stringify(id)} is another than the one of that id it was encrypted with (fingerprints ${key.fingerprint}, ${fingerprint}). Give that one, and the other an id of its own.`;
    return { kind: 'waits', why };
  }
  const plain = decrypted(message, mark, key);
  if (plain === undefined) {
    const why = `cannot be decrypted: it is not what was encrypted with key ${JSON.stringify(id)} for this id, topic and key. It was changed or damaged.`;
    return { kind: 'broken', why };
  }
  const headersEnd = LENGTH_BYTES + plain.readUInt32BE(0);
  const headers =
    headersEnd === LENGTH_BYTES
      ? NO_HEADERS
      : (JSON.parse(plain.toString('utf8', LENGTH_BYTES, headersEnd)) as Record<string, string>);
  return { kind: 'open', message: { ...message, headers, body: plain.subarray(headersEnd) } };
}

function decrypted(message: Message, mark: string, key: RingKey): Buffer | undefined {
  const { body } = message;
  const textEnd = body.byteLength - TAG_BYTES;
  if (textEnd < NONCE_BYTES + LENGTH_BYTES) return undefined;
  const nonce = body.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(mark, message));
  decipher.setAuthTag(body.subarray(textEnd));
  const text = decipher.update(body.subarray(NONCE_BYTES, textEnd));
  try {
    decipher.final();
  } catch {
    // The one way it fails: the tag is not that of this text, these bound texts and this key.
    return undefined;
  }
  return text;
}

/** Well-formed, because that is what databases make of a text: a lone surrogate comes back as U+FFFD. */
function bound(mark: string, { id, topic, key }: Message): Buffer {
  const texts = [mark, id.toWellFormed(), topic.toWellFormed(), key?.toWellFormed() ?? null];
  return Buffer.from(JSON.stringify(texts), 'utf8');
}

function plainBytes({ headers, body }: Message): Buffer {
  let text = '';
  for (const _ in headers) {
    text = JSON.stringify(headers);
    break;
  }
  const textBytes = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + textBytes + body.byteLength);
  bytes.writeUInt32BE(textBytes, 0);
  bytes.write(text, LENGTH_BYTES, 'utf8');
  bytes.set(body, LENGTH_BYTES + textBytes);
  return bytes;
}
