/**
 * The application both sides call: answers every request with the same 200 and
 * does as little else as it can, so that what is measured is the sidecars.
 * Counts ends of headers in the bytes; requests with bodies are none of its business.
 */
import { createServer } from 'node:net';

const BODY = JSON.stringify({ order: 42, state: 'accepted', note: 'x'.repeat(160) });
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
);
const NOT_FOUND = Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
const END = '\r\n\r\n';

const server = createServer((socket) => {
  let rest = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const text = rest + chunk.toString('latin1');
    let from = 0;
    for (let end = text.indexOf(END); end !== -1; end = text.indexOf(END, from)) {
      // daprd asks its application for its configuration and its subscriptions.
      socket.write(text.startsWith('GET /dapr/', from) ? NOT_FOUND : ANSWER);
      from = end + END.length;
    }
    rest = text.slice(from);
  });
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }));
});
