import type { Message } from '../message.ts';
import type { KeyRing, RingKey } from './keys.ts';
import { seal, unseal } from './seal.ts';
import { SEALED_HEADER } from './sealed-mark.ts';

/** No message has it: a body does not open as a result, nor a result as a body. */
const NO_TOPIC = '\0result';

/** A job's result, encrypted for the id of its message. */
export function sealResult(id: string, text: string, key: RingKey): string {
  const plain: Message = {
    id,
    topic: NO_TOPIC,
    key: undefined,
    body: Buffer.from(text),
    headers: {},
  };
  const { body, headers } = seal(plain, key);
  return `${headers[SEALED_HEADER]} ${Buffer.from(body).toString('base64')}`;
}

/** What `sealResult` was given; undefined where its key is not in the ring, or it is not what was encrypted. */
export function unsealResult(id: string, kept: string, ring: KeyRing): string | undefined {
  const end = kept.lastIndexOf(' ');
  const body = Buffer.from(kept.slice(end + 1), 'base64');
  const headers = { [SEALED_HEADER]: kept.slice(0, Math.max(0, end)) };
  const opened = unseal({ id, topic: NO_TOPIC, key: undefined, body, headers }, ring);
  return opened.kind === 'open' ? Buffer.from(opened.message.body).toString() : undefined;
}
