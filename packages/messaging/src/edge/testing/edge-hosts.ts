import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import fastify from 'fastify';
import { checkContinue } from '../check-continue.ts';
import type { EdgeOptions } from '../edge-options.ts';
import { expressEdge } from '../express-edge.ts';
import { fastifyEdge } from '../fastify-edge.ts';
import { nodeEdge } from '../node-edge.ts';

const require = createRequire(import.meta.url);

/** What is used of Express, which brings no types. */
export interface Express {
  (): ExpressApp;
  json(options?: object): unknown;
  raw(options?: object): unknown;
  text(options?: object): unknown;
  urlencoded(options?: object): unknown;
}

export interface ExpressApp {
  (request: IncomingMessage, response: ServerResponse): void;
  use(...args: readonly unknown[]): unknown;
}

export const express4: Express = require('express');
export const express5: Express = require('express5');

/** Starts a server of each kind around an edge; the answer is its port. */
export const HOSTS: Readonly<
  Record<string, (t: TestContext, options: EdgeOptions) => Promise<number>>
> = {
  'node:http': (t, options) => listen(t, createServer(nodeEdge(options)), options),
  fastify: async (t, options) => {
    const app = fastify();
    await app.register(fastifyEdge(options));
    app.server.on('checkContinue', checkContinue(options));
    await app.listen({ host: '127.0.0.1', port: 0 });
    t.after(() => {
      app.server.closeAllConnections();
      return app.close();
    });
    return (app.server.address() as AddressInfo).port;
  },
  'express 4': (t, options) => expressWith(t, express4, options),
  'express 5': (t, options) => expressWith(t, express5, options),
};

function expressWith(t: TestContext, express: Express, options: EdgeOptions): Promise<number> {
  const app = express();
  app.use(expressEdge(options));
  return listen(t, createServer(app), options);
}

export async function listen(
  t: TestContext,
  server: Server,
  options?: EdgeOptions,
): Promise<number> {
  if (options !== undefined) server.on('checkContinue', checkContinue(options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
