import { headersOf } from '../flags/headers-of.ts';
import type { CommandContext } from './output.ts';
import { bodyOf, type CallOptions, callSidecar, refused } from './sidecar-call.ts';

export interface InvokeOptions extends CallOptions {
  readonly appId: string;
  readonly method: string;
  /** @default 'POST' */
  readonly verb: string;
  /** Each `NAME=VALUE`. */
  readonly header: readonly string[];
}

/** `holdfast invoke`: calls a method of an app through its own sidecar, as `dapr invoke` does; prints what it answers. */
export async function invoke(options: InvokeOptions, context: CommandContext): Promise<number> {
  const { appId, header, method } = options;
  const verb = options.verb.toUpperCase();
  const headers = { 'content-type': 'application/json', ...headersOf(header) };
  const body = await bodyOf(options, context);
  const path = `/v1.0/invoke/${appId}/method/${inRequestLine(method)}`;
  const answer = await callSidecar(appId, { method: verb, path, headers, body }, options, context);
  if (answer.status >= 400) throw refused(`${verb} ${method} of "${appId}"`, answer);
  if (answer.body !== '') context.output.out(answer.body);
  // Beside the answer, so that it may be piped on.
  context.output.err('App invoked successfully');
  return 0;
}

/** A query and escapes stay as they were written; what no request line can hold is escaped. */
const inRequestLine = (text: string): string => text.replace(/[^!-~]+/g, encodeURIComponent);
