/**
 * Passes bytes on and does nothing else: what two processes of Node in a row cost by being there. No sidecar
 * written in Node can do more requests at one connection than two of these.
 */
import { connect, createServer } from 'node:net';

const [target] = process.argv.slice(2);

const server = createServer({ noDelay: true }, (client) => {
  const onward = connect({ port: Number(target), host: '127.0.0.1', noDelay: true });
  const end = (): void => {
    client.destroy();
    onward.destroy();
  };
  client.on('data', (bytes) => onward.write(bytes)).on('error', end);
  onward.on('data', (bytes) => client.write(bytes)).on('error', end);
  client.on('close', end);
  onward.on('close', end);
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }));
});
