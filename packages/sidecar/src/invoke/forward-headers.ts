import type { RequestHead } from '../server/request-head.ts';

/** What identifies this sidecar to those it calls. */
export interface CallerIdentity {
  readonly appId: string;
  readonly namespace: string;
  readonly hostAddress: string;
  readonly hostName: string;
}

/** The headers of one call, as far as they are the same for each of its attempts. */
export function forwardHeaders(
  head: Pick<RequestHead, 'headers' | 'apiToken'>,
  options: {
    /** Added where the call goes through another sidecar. */
    readonly via?: { readonly caller: CallerIdentity; readonly calleeAppId: string } | undefined;
    /** The client's token was meant for us and stays here. */
    readonly keepToken: boolean;
    readonly body: 'none' | 'sized' | 'chunked';
    readonly bodyLength: number;
    readonly extra?: readonly string[] | undefined;
  },
): string[] {
  const headers = head.headers.slice();
  if (options.keepToken && head.apiToken !== undefined)
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
