/**
 * A service of sixty lines to hold drills on: `node stand-in.ts DIRECTORY PORT CHARACTER`.
 *
 * `POST /work` is answered 202 once the job is in DIRECTORY/queue on the disk; a
 * worker moves jobs to DIRECTORY/sink one by one. Killed at any moment, it goes
 * on where it was. That is the `durable` character; the others have a flaw each,
 * which a drill must find: `lossy` says accepted and keeps the job in memory
 * only, `twice` delivers each job twice, `ghost` delivers jobs nobody gave it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

const [directory = '', port = '0', character = 'durable'] = process.argv.slice(2);
const queueFile = join(directory, 'queue');
const sinkFile = join(directory, 'sink');
const append = (file: string, line: string) => appendFileSync(file, `${line}\n`, { flush: true });
const linesOf = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

const delivered = new Set(linesOf(sinkFile));
const queue = linesOf(queueFile).filter((id) => !delivered.has(id));

function accept(request: IncomingMessage, response: ServerResponse): void {
  const id = String(request.headers['idempotency-key']);
  if (character !== 'lossy') {
    append(queueFile, id);
    queue.push(id);
  }
  response.writeHead(202).end(JSON.stringify({ id }));
}

function work(): void {
  const id = queue.shift();
  if (id === undefined) return;
  append(sinkFile, id);
  if (character === 'twice') append(sinkFile, id);
  if (character === 'ghost') append(sinkFile, `ghost-of-${id}`);
}

setInterval(work, 2);
const server = createServer((request, response) => {
  request.resume();
  if (request.method === 'POST') accept(request, response);
  else response.end(JSON.stringify({ queued: queue.length }));
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
