/**
 * The gRPC application that both sides call: answers every call with the same
 * message and does as little else as it can. Dapr's own callbacks it does not have.
 */
import http2 from 'node:http2';

const MESSAGE = Buffer.alloc(5 + 200, 'x');
MESSAGE.writeUInt8(0, 0);
MESSAGE.writeUInt32BE(200, 1);

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  if (String(headers[':path']).startsWith('/dapr.proto.')) {
    const none = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' };
    stream.respond(none, { endStream: true });
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(MESSAGE);
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }));
});
