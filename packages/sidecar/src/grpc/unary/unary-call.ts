import type { DescMessage, DescMethodUnary, DescService, MessageShape } from '@bufbuild/protobuf';
import {
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type UnaryRequest,
} from '@connectrpc/connect';
import type { Clock } from '@holdfast/core';
import type { RpcHeaders } from './rpc-headers.ts';

type Message = MessageShape<DescMessage>;

/** One call with its message: what connect would give to an interceptor and to a service, both in one. */
export class UnaryCall implements HandlerContext {
  readonly stream = false;
  readonly requestMethod = 'POST';
  readonly protocolName = 'grpc';
  readonly method: DescMethodUnary;
  readonly message: Message;
  readonly requestHeader: Headers;
  readonly responseHeader: Headers;
  readonly responseTrailer: Headers;
  readonly values: ContextValues = createContextValues();
  readonly #authority: string;
  readonly #deadlineMs: number | undefined;
  readonly #clock: Pick<Clock, 'now'>;
  #controller: AbortController | undefined;
  #ended: { readonly reason: unknown } | undefined;

  constructor(
    method: DescMethodUnary,
    message: Message,
    headers: {
      readonly request: RpcHeaders;
      readonly response: RpcHeaders;
      readonly trailer: RpcHeaders;
    },
    authority: string,
    timeoutMs: number | undefined,
    clock: Pick<Clock, 'now'>,
  ) {
    this.method = method;
    this.message = message;
    this.requestHeader = headers.request.asHeaders;
    this.responseHeader = headers.response.asHeaders;
    this.responseTrailer = headers.trailer.asHeaders;
    this.#authority = authority;
    this.#clock = clock;
    this.#deadlineMs = timeoutMs === undefined ? undefined : clock.now() + timeoutMs;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get header(): Headers {
    return this.requestHeader;
  }

  get contextValues(): ContextValues {
    return this.values;
  }

  get url(): string {
    return `http://${this.#authority}/${this.service.typeName}/${this.method.name}`;
  }

  /** Made when somebody asks: most calls have ended before anybody would. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  get asRequest(): UnaryRequest {
    return this as UnaryRequest;
  }

  /** What is left of the client's time. */
  readonly timeoutMs = (): number | undefined =>
    this.#deadlineMs === undefined ? undefined : this.#deadlineMs - this.#clock.now();

  /** Nobody waits for the answer any more. */
  giveUp(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#controller?.abort(reason);
  }
}
