import type { IncomingMessage } from '../message.ts';

/** A handler that keeps what it is given, and then does as it is told. */
export function recorder(then: (message: IncomingMessage) => Promise<void> = async () => {}) {
  const got: IncomingMessage[] = [];
  const handler = async (each: IncomingMessage) => {
    got.push(each);
    await then(each);
  };
  return { got, handler };
}
