import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CallOptions } from '@connectrpc/connect';
import type { InvokeServiceRequestSchema } from '../../../packages/sidecar/src/grpc/protos/invoke_pb.ts';
import type { DaprClient } from '../makes/grpc-client.ts';
import { bytes, type RpcCase } from './grpc.ts';

const typed = (id: string, contentType: string): RpcCase => ({
  name: `a message with a type is Protobuf to those that speak HTTP: ${id}, said to be ${contentType || 'nothing'}`,
  call: async (c, o) => {
    const data = { typeUrl: 'type.googleapis.com/a.Type', value: bytes('ab') };
    const message = { method: 'h', httpExtension: { verb: 3 }, contentType, data };
    const { headers, body } = await seen(c, o, id, message);
    return [headers['content-type'], body];
  },
  want: { answer: ['application/x-protobuf', 'ab'] },
});

/** Types of messages, traces of answers and what is too long, over gRPC. */
export const rpcTyped: readonly RpcCase[] = [
  ...['callee', 'caller', 'bare'].flatMap((id) => ['', 'text/plain'].map((of) => typed(id, of))),
  {
    name: 'an answer is part of the client’s trace, whatever the application says',
    call: async (c, o) => {
      let headers = new Headers();
      const onHeader = (given: Headers) => {
        headers = given;
      };
      const querystring = 'h-traceparent=mine&h-tracestate=a%3Db&h-x-b=2';
      await c.invokeService(got(querystring), { ...o, onHeader });
      const trace = headers.get('traceparent')?.replaceAll(/[\da-f]{16,}/g, '*');
      return [trace, headers.get('tracestate'), headers.get('x-b')];
    },
    want: { answer: ['00-*-*-00', null, '2'] },
  },
  {
    name: 'an answer over the limit is RESOURCE_EXHAUSTED',
    call: async (c, o) => {
      const code = (error: { code: number }) => error.code;
      return await c.invokeService(got('bytes=5000000'), o).catch(code);
    },
    want: { answer: 8 },
  },
  {
    name: 'CONNECT is no verb of an application over HTTP',
    call: (c, o) =>
      c.invokeService({ id: 'callee', message: { method: 'h', httpExtension: { verb: 6 } } }, o),
    want: {
      code: 13,
      message:
        'failed to invoke, id: callee, err: rpc error: code = Internal desc = error invoking app channel: rpc error: code = InvalidArgument desc = invalid HTTP verb',
    },
  },
  {
    name: 'baggage of more than 8 KiB',
    call: (c, o) => c.getMetadata({}, { ...o, headers: { baggage: `a=${'x'.repeat(8_191)}` } }),
    want: { code: 3, message: 'invalid baggage header: baggage-string too large' },
  },
];

/** A `GET` of the callee. */
function got(querystring: string): MessageInitShape<typeof InvokeServiceRequestSchema> {
  const message = { method: 'h', httpExtension: { verb: 1 as const, querystring } };
  return { id: 'callee', message };
}

async function seen(c: DaprClient, o: CallOptions, id: string, message: object) {
  const { data } = await c.invokeService({ id, message }, o);
  return JSON.parse(Buffer.from(data!.value).toString()) as {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}
