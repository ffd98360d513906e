import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStream } from '../../app/pass-rpc.ts';
import { RPC_METHOD, RPC_TYPE_URL, rpcMethodOf, withoutRpcBytes } from '../../app/rpc-answer.ts';
import { withTraceBin } from '../../trace/trace-bin.ts';
import { headerValue } from './header-value.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a value that reads as a header’s name was taken for it, so that the header itself was overlooked', () => {
  const behind = (name: string, value: string) => ['x-note', name, name, value];

  assert.deepEqual(
    {
      first: headerValue(['x', 'a', 'b', 'x', 'x', 'c'], 'x'),
      none: headerValue(['a', 'x'], 'x'),
      method: rpcMethodOf(behind(RPC_METHOD, 'a%2Fb')),
      stream: isStream(behind('dapr-stream', 'true')),
      traced: withTraceBin(behind('traceparent', TRACEPARENT)).includes('grpc-trace-bin'),
      typed: withoutRpcBytes(['x-note', RPC_TYPE_URL, 'content-type', 'text/plain']),
    },
    {
      first: 'a',
      none: undefined,
      method: 'a/b',
      stream: true,
      traced: true,
      typed: ['x-note', RPC_TYPE_URL, 'content-type', 'text/plain'],
    },
  );
});
