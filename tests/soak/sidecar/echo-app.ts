/** The application of the soak: answers each request with its own path, so that nobody's answer passes for another's. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const known = request.url?.startsWith('/order');
  response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' });
  response.end(known ? request.url : '');
});

server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
