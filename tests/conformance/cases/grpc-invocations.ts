import { bytes, info, type RpcCase } from './grpc.ts';

const POST = 3;
const GET = 1;
const statusInfo = (reason: string, status: number, text: string) =>
  info(reason, { 'http.code': String(status), 'http.error_message': text });

const echoed = (answer: unknown) => {
  const { contentType, data } = answer as { contentType: string; data: { value: Uint8Array } };
  const { body, headers, method, url } = JSON.parse(Buffer.from(data.value).toString());
  return { contentType, method, url, body, mine: headers['x-mine'], type: headers['content-type'] };
};

export const RPC_INVOCATIONS: readonly RpcCase[] = [
  {
    name: 'verb, method, query, body and metadata reach an application over HTTP',
    call: async (c, o) => {
      const message = {
        method: 'echo/x',
        data: { value: bytes('{"a":1}') },
        contentType: 'application/json',
        httpExtension: { verb: POST as 3, querystring: 'q=1&r=2' },
      };
      const headers = { 'x-mine': '7' };
      return echoed(await c.invokeService({ id: 'callee', message }, { ...o, headers }));
    },
    shown: ['dapr-http-status', 'x-app'],
    want: {
      answer: {
        contentType: 'application/json',
        method: 'POST',
        url: '/echo/x?q=1&r=2',
        body: '{"a":1}',
        mine: '7',
        type: 'application/json',
      },
      metadata: { 'dapr-http-status': '200', 'x-app': 'echo' },
    },
  },
  {
    name: 'without a content type there is none',
    call: async (c, o) => {
      const message = {
        method: 'echo',
        data: { value: bytes('1') },
        httpExtension: { verb: POST as 3 },
      };
      return echoed(await c.invokeService({ id: 'callee', message }, o)).type;
    },
    want: { answer: undefined },
  },
  {
    name: 'the own application is called without the network',
    call: async (c, o) => {
      const message = { method: 'self', httpExtension: { verb: GET as 1 } };
      const { method, url } = echoed(await c.invokeService({ id: 'caller', message }, o));
      return { method, url };
    },
    want: { answer: { method: 'GET', url: '/self' } },
  },
  ...(
    [
      [400, 13, 'Bad Request'],
      [401, 16, 'Unauthorized'],
      [404, 5, 'Not Found'],
      [409, 6, 'Conflict'],
      [418, 2, "I'm a teapot"],
      [429, 8, 'Too Many Requests'],
      [500, 2, 'Internal Server Error'],
      [503, 14, 'Service Unavailable'],
    ] as const
  ).map(
    ([status, code, reason]): RpcCase => ({
      name: `an application's ${status} is a code and its words are a detail`,
      call: (c, o) => {
        const querystring = `status=${status}`;
        const message = { method: 'echo', httpExtension: { verb: GET as 1, querystring } };
        return c.invokeService({ id: 'callee', message }, o);
      },
      shown: ['dapr-http-status'],
      want: {
        code,
        message: reason,
        details: [
          statusInfo(
            reason,
            status,
            `{"method":"GET","url":"/echo?status=${status}","headers":{"host":"127.0.0.1:`.slice(
              0,
              63,
            ),
          ),
        ],
        metadata: { 'dapr-http-status': String(status) },
      },
    }),
  ),
  {
    name: 'an app that nobody knows',
    call: (c, o) => {
      const message = { method: 'echo', httpExtension: { verb: GET as 1 } };
      return c.invokeService({ id: 'nobody', message }, o);
    },
    want: {
      code: 13,
      message: 'failed to invoke, id: nobody, err: no host found with the given ID',
    },
  },
  {
    name: 'no app',
    call: (c, o) => c.invokeService({ message: { method: 'x', httpExtension: { verb: 1 } } }, o),
    want: { code: 13, message: 'failed to invoke, id: , err: app id is empty' },
  },
  {
    name: 'a method that would end the path',
    call: (c, o) => {
      const message = { method: 'a#b', httpExtension: { verb: GET as 1 } };
      return c.invokeService({ id: 'callee', message }, o);
    },
    want: {
      code: 13,
      message:
        'failed to invoke, id: callee, err: rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: "a#b"',
    },
  },
  {
    name: 'no verb for an application over HTTP',
    call: (c, o) => c.invokeService({ id: 'callee', message: { method: 'echo' } }, o),
    want: {
      code: 13,
      message:
        'failed to invoke, id: callee, err: rpc error: code = Internal desc = error invoking app channel: rpc error: code = InvalidArgument desc = missing HTTP extension field',
    },
  },
  {
    name: 'a timeout of the policies',
    call: (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'delay=2000' };
      return c.invokeService({ id: 'callee.timed', message: { method: 'echo', httpExtension } }, o);
    },
    want: { code: 4, message: 'context deadline exceeded' },
    daprd: {
      why: 'of daprd the callee may notice first; whoever is late, our callers read the same words',
      want: { code: 4, message: 'context deadline exceeded' },
      or: /code = DeadlineExceeded/,
    },
  },
  {
    name: 'a circuit that the policies have opened',
    call: async (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'status=500' };
      const message = { method: 'rpc-circuit', httpExtension };
      for (let n = 0; n < 3; n += 1) {
        await c.invokeService({ id: 'callee.broken', message }).catch(() => {});
      }
      return await c.invokeService({ id: 'callee.broken', message }, o);
    },
    want: { code: 2, message: 'circuit breaker is open' },
  },
  {
    name: 'a retry of the policies',
    call: async (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'fail=2' };
      const message = { method: 'rpc-retried', httpExtension };
      return echoed(await c.invokeService({ id: 'callee.retried', message }, o)).url;
    },
    want: { answer: '/rpc-retried?fail=2' },
  },
];
