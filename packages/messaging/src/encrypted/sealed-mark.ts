import type { Message } from '../message.ts';

/** The header that tells a message whose body is cipher text from a plain one: `FORMAT KEY_ID FINGERPRINT`. */
export const SEALED_HEADER = 'holdfast-sealed';

/** The id of the key that a message as stores keep it is encrypted with; undefined for a plain one. */
export function sealedWith({ headers }: Pick<Message, 'headers'>): string | undefined {
  const mark = headers[SEALED_HEADER];
  return mark === undefined ? undefined : (mark.split(' ')[1] ?? '');
}
