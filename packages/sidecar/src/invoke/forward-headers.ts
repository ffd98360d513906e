import { without } from '../flow/headers/answer-headers.ts';
import type { RequestHead } from '../server/request-head.ts';
import type { Destination } from './upstreams.ts';

/** What identifies this sidecar to those it calls. */
export interface CallerIdentity {
  readonly appId: string;
  readonly namespace: string;
  readonly hostAddress: string;
  readonly hostName: string;
}

/** As a `Destination` outside has them. */
export type OutsideHeaders = Pick<
  Extract<Destination, { readonly kind: 'outside' }>,
  'headers' | 'authorization'
>;

/** The headers of one call, as far as they are the same for each of its attempts. */
export function forwardHeaders(
  head: Pick<RequestHead, 'headers' | 'apiToken'>,
  options: {
    /** Added where the call goes through another sidecar. */
    readonly via?: { readonly caller: CallerIdentity; readonly calleeAppId: string } | undefined;
    /** Whether the client's token goes on: where we ask for one it is for us, and stays here. */
    readonly passToken: boolean;
    readonly body: 'none' | 'sized' | 'chunked';
    readonly bodyLength: number;
    readonly extra?: readonly string[] | undefined;
  },
): string[] {
  const headers = head.headers.slice();
  if (options.passToken && head.apiToken !== undefined)
    headers.push('dapr-api-token', head.apiToken);
  if (options.body === 'sized') headers.push('content-length', String(options.bodyLength));
  const { via } = options;
  if (via !== undefined) {
    const { appId, namespace, hostAddress, hostName } = via.caller;
    headers.push(
      'x-forwarded-for',
      hostAddress,
      'x-forwarded-host',
      hostName,
      'forwarded',
      `for=${hostAddress};by=${hostAddress};host=${hostName}`,
      'dapr-caller-app-id',
      appId,
      'dapr-caller-namespace',
      namespace,
      'dapr-callee-app-id',
      via.calleeAppId,
    );
  }
  if (options.extra !== undefined) headers.push(...options.extra);
  return headers;
}

/**
 * The client's headers, with what an address outside is to be told in place of them: who it shows
 * itself as there is not the client's to choose.
 */
export function outsideHeaders(
  own: string[],
  { authorization, headers }: OutsideHeaders,
): string[] {
  const named = new Map<string, string>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    // What frames the message and where it goes stay as they are; of two the last counts.
    if (!NOT_FOR_FILES.has(headers[at]!)) named.set(headers[at]!, headers[at + 1]!);
  }
  const all = named.size === 0 ? own : [...without(own, named), ...[...named].flat()];
  if (authorization !== undefined && !hasHeader(all, 'authorization')) {
    all.push('authorization', authorization);
  }
  return all;
}

/** Of the message itself. */
const NOT_FOR_FILES = new Set(['host', 'content-length', 'transfer-encoding', 'trailer']);

const hasHeader = (headers: readonly string[], name: string): boolean =>
  headers.some((one, at) => at % 2 === 0 && one === name);
