import type { Message } from '../message.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

/**
 * Reads what came from a broker by a layout of the user's. What that cannot read, because somebody else wrote it or a
 * newer version did, must neither end the subscription nor come again for ever in front of the rest: the handler is
 * given it as it lies there, by `plain`, and `onProblem` hears why.
 */
export function forgiving<Raw>(
  read: (raw: Raw) => Message,
  plain: (raw: Raw) => Message,
  options: ResolvedSubscribeOptions,
): (raw: Raw) => Message {
  return (raw) => {
    try {
      return read(raw);
    } catch (error) {
      const message = plain(raw);
      tell(options, { kind: 'handler-failed', id: message.id, error });
      return message;
    }
  };
}
