import { bytes, info, type RpcCase } from './grpc.ts';

const POST = 3 as const;

const echoed = (answer: unknown, ...names: string[]) => {
  const { data } = answer as { data: { value: Uint8Array } };
  const { headers } = JSON.parse(Buffer.from(data.value).toString());
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
};

/** Requests that are not quite what they should be, and what stands beside their answers. */
export const RPC_ODD: readonly RpcCase[] = [
  {
    name: 'of gRPC’s own metadata an application sees the authority, and no deadline',
    call: async (c, o) => {
      const message = { method: 'echo/own', httpExtension: { verb: POST } };
      const seen = echoed(
        await c.invokeService({ id: 'callee', message }, { ...o, timeoutMs: 5_000 }),
        ...['dapr-authority', 'dapr-grpc-timeout', 'grpc-timeout'],
      );
      return { ...seen, 'dapr-authority': seen['dapr-authority']?.replace(/\d+$/, 'PORT') };
    },
    want: {
      answer: {
        'dapr-authority': '127.0.0.1:PORT',
        'dapr-grpc-timeout': undefined,
        'grpc-timeout': undefined,
      },
    },
  },
  {
    name: 'the answer of an application says which trace it is of',
    call: async (c, o) => {
      let trace = '';
      const onHeader = (headers: Headers) => {
        trace = headers.get('traceparent') ?? '';
      };
      const message = { method: 'echo/traced', httpExtension: { verb: POST } };
      await c.invokeService({ id: 'callee', message }, { ...o, onHeader });
      return trace.replaceAll(/[\da-f]{16,}/g, '*');
    },
    want: { answer: '00-*-*-01' },
  },
  {
    name: 'baggage that cannot be read is refused',
    call: (c, o) => c.getMetadata({}, { ...o, headers: { ...o.headers, baggage: 'a' } }),
    want: { code: 3, message: 'invalid baggage header: invalid baggage list-member: "a"' },
  },
  {
    name: 'baggage is beside the answer',
    call: async (c, o) => {
      let baggage: string | null = null;
      const onHeader = (headers: Headers) => {
        baggage = headers.get('baggage');
      };
      await c.getMetadata({}, { ...o, headers: { ...o.headers, baggage: 'a=b;c,d=e' }, onHeader });
      // In any order: Go's maps have none.
      return String(baggage).split(',').sort().join();
    },
    want: { answer: 'a=b;c,d=e' },
  },
  ...['per%cent', 'per%25cent', 'a%2Fb'].map(
    (method): RpcCase => ({
      name: `the method ${method} reaches an application over HTTP as it is`,
      call: async (c, o) => {
        const message = { method, httpExtension: { verb: POST } };
        const { data } = await c.invokeService({ id: 'callee', message }, o);
        return JSON.parse(Buffer.from(data!.value).toString()).url;
      },
      want: { answer: `/${method}` },
    }),
  ),
  {
    name: 'metadata of a transaction as a whole are not those of its steps',
    call: (c, o) => {
      const request = { key: 'whole', value: bytes('1') };
      const operations = [{ operationType: 'upsert', request }];
      const metadata = { ttlInSeconds: 'x' };
      return c.executeStateTransaction({ storeName: 'memory', operations, metadata }, o);
    },
    want: { answer: {} },
  },
  {
    name: 'a key of a transaction with the separator is named',
    call: (c, o) => {
      const operations = [{ operationType: 'upsert', request: { key: 'a||b' } }];
      return c.executeStateTransaction({ storeName: 'memory', operations }, o);
    },
    want: {
      code: 3,
      message: "input key/keyPrefix 'a||b' can't contain '||'",
      details: [
        {
          fieldViolations: [
            { field: 'a||b', description: "input key/keyPrefix 'a||b' can't contain '||'" },
          ],
        },
        { resourceType: 'state', resourceName: 'memory', owner: '', description: '' },
        info('DAPR_STATE_ILLEGAL_KEY'),
      ],
    },
  },
  {
    name: 'what should be JSON and is none, in the words of Go',
    call: (c, o) => {
      const metadata = { contentType: 'application/json' };
      const states = [{ key: 'raw', value: bytes('raw'), metadata }];
      return c.saveState({ storeName: 'memory', states }, o);
    },
    want: { code: 2, message: "invalid character 'r' looking for beginning of value" },
  },
  {
    name: 'a lock is given back where there are none',
    call: (c, o) => c.unlockAlpha1({ storeName: 'nowhere' }, o),
    want: { code: 9, message: 'lock store is not configured' },
  },
];
