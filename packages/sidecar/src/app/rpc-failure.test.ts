import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRpc, rpcFailure, type StreamEnd } from './rpc-failure.ts';

test('a call that had no connection says why', () => {
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  const error = new Error('The pending stream has been canceled', { cause: refused });
  const why = 'dial tcp 127.0.0.1:1: connect: connection refused';
  const message = `connection error: desc = "transport: Error while dialing: ${why}"`;
  assert.deepEqual(ended({ sent: false, error }), { code: 14, message });
});

test('a connection that ended is told from a call that was reset', () => {
  const reset = Object.assign(new Error('x'), { code: 'ECONNRESET' });
  const nodes = Object.assign(new Error('x'), { code: 'ERR_HTTP2_STREAM_CANCEL' });
  const words = [undefined, nodes, reset].map((error) => ended({ gone: true, error, rstCode: 8 }));
  assert.deepEqual(
    words.map(({ code, message }) => [code, /server: (.*)"$/.exec(message)?.[1]]),
    [
      [14, 'EOF'],
      [14, 'EOF'],
      [14, 'read: connection reset by peer'],
    ],
  );
  const codes = [0, 1, 3, 7, 8, 11, 12, 99].map((rstCode) => ended({ rstCode }).code);
  assert.deepEqual(codes, [13, 13, 8, 14, 1, 8, 7, 13]);
  assert.match(ended({ rstCode: 99 }).message, /unknown error code 0x63$/);
});

test('who does not speak HTTP/2 is told from who has ended', () => {
  const http1 = Object.assign(new Error('Protocol error'), { code: 'ERR_HTTP2_ERROR' });
  const words = [undefined, http1].map((error) => ended({ gone: true, greeted: false, error }));
  assert.deepEqual(
    words.map(({ code, message }) => [code, /server preface: (.*)"$/.exec(message)?.[1]]),
    [
      [14, 'EOF'],
      [
        14,
        'http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header',
      ],
    ],
  );
});

test('an answer that ends without trailers', () => {
  const message = 'server closed the stream without sending trailers';
  assert.deepEqual(ended({ responded: true }), { code: 13, message });
});

test('a head that is no gRPC has the code that gRPC gives its status', () => {
  const types = ['application/grpc', 'application/grpc+proto', 'application/grpc;x=1'];
  assert.deepEqual(
    types.map((type) => noRpc(200, type)),
    [undefined, undefined, undefined],
  );
  assert.equal(noRpc(200, 'application/grpcx')?.code, 2);
  assert.deepEqual(noRpc(502, 'application/grpc'), {
    code: 14,
    message: 'unexpected HTTP status code received from server: 502 (Bad Gateway)',
  });
});

const ended = (given: Partial<StreamEnd>) =>
  rpcFailure({
    address: '127.0.0.1:1',
    error: undefined,
    gone: false,
    greeted: true,
    responded: false,
    rstCode: 0,
    sent: true,
    ...given,
  });
