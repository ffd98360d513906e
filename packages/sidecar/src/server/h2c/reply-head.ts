import type { OutgoingHttpHeaders } from 'node:http2';
import { addHeader, type HeaderMap } from '../../flow/headers/add-header.ts';

/** The head of an answer as this Node takes it. The types know it as an object alone. */
export type ReplyHead = OutgoingHttpHeaders;

/** Node takes a list as it is since 24.7; before, an object. */
const TAKES_LISTS = takesLists(process.versions.node);

/** `headers` is `name, value, …`, and the head's to keep. */
export function replyHead(status: number, headers: string[], lists = TAKES_LISTS): ReplyHead {
  if (lists) return [':status', String(status), ...headers] as unknown as ReplyHead;
  const head: HeaderMap = {};
  for (let at = 0; at + 1 < headers.length; at += 2) {
    addHeader(head, headers[at]!, headers[at + 1]!);
  }
  return { ':status': status, ...head };
}

/** Whether the Node of that version does. */
export function takesLists(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 7);
}
