/** Something outside that the application has do something. */
export interface OutputBinding {
  /** What it can do; other operations are refused before it is asked. */
  readonly operations: readonly string[];
  /**
   * Undefined where there is nothing to answer.
   *
   * @throws BindingError where there is an answer beside the failure.
   */
  invoke(request: BindingRequest, signal?: AbortSignal): Promise<BindingAnswer | undefined>;
  close(): Promise<void>;
}

export interface BindingRequest {
  readonly operation: string;
  /** JSON over HTTP, any bytes over gRPC; undefined where a body of JSON has none. */
  readonly data: Buffer | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Hands on the trace of the request: `traceparent`, `tracestate`, `baggage`. */
  readonly trace: readonly (readonly [name: string, value: string])[];
}

export interface BindingAnswer {
  readonly data: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Something outside that has something to say to the application. */
export interface InputBinding {
  /**
   * Begins to tell; only the first call does something, and the first after `suspend`. `handle`
   * resolves with what the application answers; what it throws is its own affair.
   */
  start(handle: (event: BindingEvent) => Promise<Buffer | undefined>): void;
  /**
   * Tells nothing until it is started again, and leaves what comes meanwhile where it comes from;
   * resolves when the last `handle` has ended.
   */
  suspend(): Promise<void>;
  /** Tells nothing more, for good; resolves when the last `handle` has ended. */
  stop(): Promise<void>;
}

export interface BindingEvent {
  readonly data: Buffer | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A failure with an answer beside it: a web server's 404 has headers. */
export class BindingError extends Error {
  override readonly name = 'BindingError';
  readonly metadata: Readonly<Record<string, string>>;

  constructor(message: string, metadata: Readonly<Record<string, string>>) {
    super(message);
    this.metadata = metadata;
  }
}

/** Whether the component's `direction` has this one: not said, it has both; `explicit` wants it said. */
export function goes(
  direction: string | undefined,
  which: 'input' | 'output',
  explicit = false,
): boolean {
  if (direction === undefined) return !explicit;
  return direction.split(',').some((one) => one.trim().toLowerCase() === which);
}
