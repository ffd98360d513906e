import type { RawRequest } from '../../../packages/sidecar/src/testing/raw-http.ts';
import type { Role } from './mesh.ts';

/** What is expected of one answer; what is not mentioned is not looked at. */
export interface Expected {
  readonly status?: number;
  /** A text: the whole body. */
  readonly body?: string | RegExp;
  /** `null`: the header must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** What reached the application, as it echoes it. */
  readonly app?: {
    readonly method?: string;
    readonly url?: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  };
  /** Whether the answer ended as its head promised. @default true */
  readonly complete?: boolean;
}

export interface Request<To extends string = Role> extends RawRequest {
  /** Whom to ask. @default 'caller' */
  readonly to?: To | 'caller';
  /** Pause before it is sent. @default 0 ms */
  readonly afterMs?: number;
}

/** A request, or several in a row, and what a sidecar has to answer. */
export interface Case<To extends string = Role> {
  readonly name: string;
  readonly send: Request<To> | readonly Request<To>[];
  readonly expect: Expected | readonly Expected[];
  /** Calls that reach the application, per path. */
  readonly calls?: Readonly<Record<string, number>>;
  /** Where daprd answers otherwise, and why we do not. */
  readonly daprd?: {
    readonly why: string;
    readonly expect: Expected | readonly Expected[];
    readonly calls?: Readonly<Record<string, number>>;
  };
  /** Within this time, all of it. */
  readonly withinMs?: number;
  /** Not before. */
  readonly notBeforeMs?: number;
}

/** `failed to invoke` in Dapr's legacy error form. */
export function directInvoke(id: string, why: string): string {
  const message = `failed to invoke, id: ${id}, err: ${why}`;
  return JSON.stringify({ errorCode: 'ERR_DIRECT_INVOKE', message });
}

export const NO_APP_ID = JSON.stringify({
  errorCode: 'ERR_DIRECT_INVOKE',
  message: 'failed getting app id either from the URL path or the header dapr-app-id',
});
