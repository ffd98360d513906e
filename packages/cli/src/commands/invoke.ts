import { validateHeaderName, validateHeaderValue } from 'node:http';
import { FlagError } from '../flags/flag.ts';
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
  if (!/^[A-Z-]+$/.test(verb)) {
    throw new FlagError(`--verb must be a verb of HTTP, such as GET, not "${options.verb}".`);
  }
  const headers = { 'content-type': 'application/json', ...checked(headersOf(header)) };
  const body = await bodyOf(options, context);
  const path = `/v1.0/invoke/${appId}/method/${inRequestLine(method)}`;
  const answer = await callSidecar(appId, { method: verb, path, headers, body }, options, context);
  if (answer.status >= 400) throw refused(`${verb} ${method} of "${appId}"`, answer);
  if (answer.body !== '') context.output.out(answer.body);
  // Beside the answer, so that it may be piped on.
  context.output.err('App invoked successfully');
  return 0;
}

/** In small letters, so that a content type of one's own takes the place of ours. @throws FlagError for what no head can hold */
function checked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      try {
        validateHeaderName(name);
        validateHeaderValue(name, value);
      } catch (error) {
        throw new FlagError(`--header ${name}=${value}: ${(error as Error).message}.`);
      }
      return [name.toLowerCase(), value];
    }),
  );
}

/** A query and escapes stay as they were written; what no request line can hold is escaped. */
const inRequestLine = (text: string): string => text.replace(/[^!-~]+/g, encodeURIComponent);
