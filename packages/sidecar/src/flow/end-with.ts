import type { ServerResponse } from 'node:http';

/** Answers up to this leave as latin1 text, which keeps every byte. */
const TEXT_BYTES = 16 * 1024;

/** Ends an answer. As text, node joins head and body into one write; as a buffer it takes a slower one of two parts. */
export function endWith(res: Pick<ServerResponse, 'end'>, last: Buffer): void {
  if (last.length <= TEXT_BYTES) res.end(last.toString('latin1'), 'latin1');
  else res.end(last);
}
