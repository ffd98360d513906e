import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { selfSigned } from '@holdfast/test-servers';
import type { AnswerSink, OutgoingCall } from './answer.ts';
import type { UpstreamTrust } from './http-upstream.ts';
import { PlainUpstream } from './plain-upstream.ts';

const LONG = 3_000_000;
const own = await selfSigned();

test('calls go over one kept connection, whatever the length of an answer', async (t) => {
  let connections = 0;
  const { server, upstream } = await serve(t, { anyCertificate: true }, (req, res) => {
    res.end(req.url === '/long' ? Buffer.alloc(LONG, 'x') : `${req.url} ${req.headers.connection}`);
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  const bodies: (string | number)[] = [];
  for (const path of ['/a', '/long', '/b']) {
    const { body } = await ask(upstream, path);
    bodies.push(body.length > 100 ? body.length : body);
    // A connection is looked at for a turn before it is used again.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  assert.deepEqual([bodies, connections], [['/a undefined', LONG, '/b undefined'], 1]);
});

test('an answer that is held back waits', async (t) => {
  const { upstream } = await serve(t, { anyCertificate: true }, (_req, res) => {
    res.end(Buffer.alloc(LONG, 'x'));
  });
  const { body } = await ask(upstream, '/', (pause) => pause(5));
  assert.equal(body.length, LONG);
});

test('whom it is told to trust it calls, and nobody else', async (t) => {
  const known = await serve(t, { tls: { ca: own.certificate } }, (_req, res) => res.end('ok'));
  const unknown = await serve(t, {}, (_req, res) => res.end('ok'));
  const { body } = await ask(known.upstream, '/');
  await assert.rejects(ask(unknown.upstream, '/'), { code: 'BROKEN', message: /self-signed/ });
  assert.equal(body, 'ok');
});

async function serve(t: TestContext, trust: UpstreamTrust, answer: RequestListener) {
  const server = https.createServer({ cert: own.certificate, key: own.key }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const upstream = new PlainUpstream(origin, systemClock, trust);
  t.after(async () => {
    await upstream.close();
    server.closeAllConnections();
    server.close();
  });
  return { server, upstream };
}

function ask(
  upstream: PlainUpstream,
  path: string,
  each: (pause: (turns: number) => void) => void = () => {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call: OutgoingCall = { method: 'GET', path, headers: [], body: null };
    let status = 0;
    let body = '';
    const pause = (turns: number): void => {
      flow.pause();
      const wait = (left: number): void => {
        if (left === 0) flow.resume();
        else setImmediate(wait, left - 1);
      };
      wait(turns);
    };
    const sink: AnswerSink = {
      head(given) {
        status = given;
      },
      data(chunk) {
        body += chunk.toString('latin1');
        each(pause);
      },
      end: (last) => resolve({ status, body: body + (last?.toString('latin1') ?? '') }),
      fail: reject,
    };
    const flow = upstream.send(call, sink);
  });
}
