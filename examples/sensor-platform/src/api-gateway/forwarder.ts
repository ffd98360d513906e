import { randomUUID } from 'node:crypto';
import { bulkhead, type CircuitSnapshot, circuitBreaker, pipeline, timeout } from '@holdfast/core';
import { circuitOf } from '@holdfast/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Invocation, SidecarClient } from '../service/sidecar-client.ts';

/** After this many failures in a row a service is left alone for two seconds. */
export const MAX_FAILURES = 5;

/** One service behind the gateway, and the circuit that watches it. */
export interface Forwarder {
  readonly name: string;
  /** The service's answer, whatever it says. Rejects when there is none. */
  send(path: string, invocation: Invocation): Promise<Answer>;
  /** Answers the request with the service's own answer, or with 503 when there is none. */
  forward(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  circuit(): CircuitSnapshot | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/**
 * What the service itself says, 4xx and 503 included, is an answer: it passes
 * through, and proves that the service is there. Only silence counts as failure.
 */
export function forwarder(name: string, app: string, sidecar: SidecarClient): Forwarder {
  const calls = pipeline(`${name}-service`, [
    // A thousand requests at once wait here, not as a thousand open connections.
    bulkhead({ limit: 100, queueLimit: 5_000, queueTimeoutMs: 60_000 }),
    circuitBreaker({ consecutiveFailures: MAX_FAILURES, openMs: 2_000 }),
    timeout({ limitMs: 20_000 }),
  ]);

  const send = (path: string, invocation: Invocation) =>
    calls.execute(async ({ signal }) => {
      const answer = await sidecar.invoke(app, path, { ...invocation, signal });
      const body = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, headers: answer.headers, body };
    });

  return {
    name,
    send,
    circuit: () => circuitOf(calls),
    async forward(request, reply) {
      const { method, url, body } = request;
      const answer = await send(url, {
        method,
        headers: requestHeaders(request),
        ...(body instanceof Buffer && { body: new Uint8Array(body) }),
      }).catch(() => undefined);
      // Unreachable, too slow, too many, circuit open: to the client it is all the same.
      if (answer === undefined) return unavailable(reply, name);

      for (const [header, value] of answer.headers) {
        if (!OF_THE_CONNECTION.has(header)) reply.header(header, value);
      }
      return reply.code(answer.status).send(answer.body);
    },
  };
}

export function unavailable(reply: FastifyReply, name: string): FastifyReply {
  return reply.code(503).send({ error: `${name} service unavailable` });
}

/** Headers that belong to one connection, or that `fetch` writes or undoes by itself. */
const OF_THE_CONNECTION = new Set([
  ...['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect'],
  ...['te', 'upgrade', 'trailer', 'proxy-connection', 'content-encoding', 'accept-encoding'],
]);

/**
 * The client's headers, and an `Idempotency-Key` where it gave none: a POST
 * that has to be sent again then remains the same request to the service.
 */
function requestHeaders(request: FastifyRequest): Record<string, string> {
  const given = Object.entries(request.headers).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && !OF_THE_CONNECTION.has(entry[0]),
  );
  return { 'idempotency-key': randomUUID(), ...Object.fromEntries(given) };
}
