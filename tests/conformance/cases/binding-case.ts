/** A call of an output binding. `$ROOT` is the local store's folder, `$APP` the application's port, `$DEAD` nobody's. */
export interface BindingCase {
  readonly name: string;
  readonly to: string;
  /** A text is the whole body, as it is; anything else is asked over gRPC as well. */
  readonly body: object | string | undefined;
  /** @default 'POST' */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect: BindingExpected;
  /** Where daprd answers otherwise, and why we do not. */
  readonly daprd?: {
    readonly why: string;
    readonly expect: BindingExpected;
    /** Over gRPC it answers as we do. */
    readonly httpOnly?: true;
  };
}

/** What is not mentioned is not looked at. */
export interface BindingExpected {
  readonly status: number;
  readonly body?: string;
  readonly error?: readonly [code: string, message: string];
  /** What the web server saw, as it echoes it. */
  readonly app?: {
    readonly call: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** Headers `metadata.NAME` over HTTP. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Operation {
  readonly operation: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: unknown;
}

export const op = (
  operation: string,
  metadata?: Readonly<Record<string, string>>,
  data?: unknown,
): Operation => ({
  operation,
  ...(metadata === undefined ? {} : { metadata }),
  ...(data === undefined ? {} : { data }),
});

export const said = (
  body: string,
  metadata: Readonly<Record<string, string>> = {},
  status = 200,
): BindingExpected => ({ status, body, metadata });

const JSON_TYPE = 'application/json; charset=utf-8';

export const echoed = (
  call: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  status = '200 OK',
): BindingExpected => ({
  status: 200,
  app: {
    call,
    body,
    headers: {
      accept: JSON_TYPE,
      ...(body === '' ? {} : { 'content-type': JSON_TYPE }),
      ...headers,
    },
  },
  metadata: {
    status,
    statusCode: status.slice(0, 3),
    'X-App': 'echo',
    'Content-Type': 'application/json',
  },
});

/** The message is what comes behind `error invoking output binding NAME: `. */
export const failed = (
  message: string,
  metadata: Readonly<Record<string, string>> = {},
): BindingExpected => ({ status: 500, error: ['ERR_INVOKE_OUTPUT_BINDING', message], metadata });

export const refused = (status: number, code: string, message: string): BindingExpected => ({
  status,
  error: [code, message],
});
