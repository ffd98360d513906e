import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';
import { nodeEdge } from '../node-edge.ts';

/** An edge to be killed: `edge-process.ts FILE`. Prints its port when it listens. */
const [path = ''] = process.argv.slice(2);
const outbox = await openOutbox({ store: sqliteStore({ path }) });
const server = createServer(nodeEdge({ outbox, topic: 'crash' }));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
