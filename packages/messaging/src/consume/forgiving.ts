import type { Message } from '../message.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

/**
 * What came from a broker, read by a layout of the user's. What that cannot read, because somebody else wrote it or a
 * newer version did, must neither end the subscription nor come again for ever in front of the rest: it is given as it
 * lies there, by `plain`, and `onProblem` hears why.
 */
export function forgiving(
  read: () => Message,
  plain: () => Message,
  options: ResolvedSubscribeOptions,
): Message {
  try {
    return read();
  } catch (error) {
    const message = plain();
    tell(options, { kind: 'handler-failed', id: message.id, error });
    return message;
  }
}
