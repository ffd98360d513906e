import assert from 'node:assert/strict';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { selfSigned, until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

const COMPONENTS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: tick }
spec: { type: bindings.cron, version: v1, metadata: [{ name: schedule, value: "@every 1s" }] }
`;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  for (const protocol of ['https', 'h2c'] as const) {
    describe(`${make}, an application over ${protocol}`, () => {
      let app: App;
      let sidecar: Flagged;
      before(async () => {
        app = await startApp(protocol);
        const flags = {
          'app-port': app.port,
          'app-protocol': protocol,
          'enable-app-health-check': true,
          'app-health-probe-interval': 1,
          'app-health-threshold': 1,
        } as const;
        sidecar = await startFlagged(executable, {
          flags,
          resources: { 'components.yaml': COMPONENTS },
        });
        await until('it is called', async () => (await call('/ok')).status === 200);
      });
      after(async () => {
        await sidecar.stop();
        app.stop();
      });
      const base = () => `http://127.0.0.1:${sidecar.ports.http}/v1.0`;
      const call = async (path: string, init?: RequestInit) => {
        const answer = await fetch(`${base()}/invoke/probe/method${path}`, init);
        const body = await answer.text().catch(() => 'broke off');
        return { status: answer.status, headers: answer.headers, body };
      };

      test('is asked over it for its topics and its health, and told of bindings and events', async () => {
        const headers = { 'content-type': 'application/json' };
        const wanted = [
          'GET /dapr/subscribe',
          'GET /healthz',
          'OPTIONS /tick',
          'POST /tick',
          'POST /event',
        ];
        const version = protocol === 'https' ? '1.1' : '2.0';
        const missing = () => wanted.filter((one) => !app.asked.has(`${one} ${version}`));
        await until(
          () => missing().join(),
          async () => {
            // Again and again: this broker keeps nothing for who has not subscribed yet.
            const publish = { method: 'POST', body: '{"a":1}', headers };
            await (await fetch(`${base()}/publish/bus/t`, publish)).text();
            return missing().length === 0;
          },
        );
      });

      test('answers with and without a body, and one that is long', async () => {
        const posted = await call('/echo', { method: 'POST', body: 'hello' });
        const head = await call('/ok', { method: 'HEAD' });
        const none = await call('/none');
        const long = await call('/long');
        assert.deepEqual(
          [posted.body, head.status, head.body, none.status, long.body.length],
          ['hello', 200, '', 204, 3_000_000],
        );
        assert.deepEqual(posted.headers.getSetCookie(), ['a=1', 'b=2']);
      });

      test('is told nothing of a connection', async () => {
        const { body } = await call('/headers');
        const told = Object.keys(JSON.parse(body)).filter((name) =>
          /^(?:connection|keep-alive|te|upgrade|http2-settings)$/.test(name),
        );
        assert.deepEqual(told, []);
      });

      test('is called many times at once', async () => {
        const bodies = await Promise.all(
          Array.from({ length: 40 }, async () => (await call('/slow')).body),
        );
        assert.deepEqual(new Set(bodies), new Set(['slow']));
        if (protocol === 'h2c') assert.equal(app.connections(), 1);
      });

      test('sends events as they come', async () => {
        const answer = await fetch(`${base()}/invoke/probe/method/events`, {
          headers: { accept: 'text/event-stream' },
        });
        const pieces: string[] = [];
        const text = new TextDecoder();
        for await (const piece of answer.body!) {
          pieces.push(text.decode(piece as Uint8Array));
          // It sends the next one when this one has arrived.
          app.goOn();
        }
        assert.equal(pieces.join(''), 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
        assert.equal(pieces.length, 3);
      });

      test('half an answer', async () => {
        const { body } = await call('/half');
        // daprd passes it on as if it were whole.
        assert.equal(body, make === 'daprd' ? 'half' : 'broke off');
      });

      test('none, in Go’s words', async () => {
        const { body, status } = await call('/die');
        const { message } = JSON.parse(body) as { message: string };
        const why = {
          https: `Get "https://127.0.0.1:${app.port}/die": EOF`,
          h2c: `Get "http://127.0.0.1:${app.port}/die": stream error: stream ID N; INTERNAL_ERROR; received from peer`,
        }[protocol];
        assert.equal(status, 500);
        assert.equal(message.replace(/ID \d+/, 'ID N'), `failed to invoke, id: probe, err: ${why}`);
      });

      test('half a body is no whole one', async () => {
        const client = net.connect(sidecar.ports.http, '127.0.0.1').on('error', () => {});
        client.write(
          'POST /v1.0/invoke/probe/method/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
        );
        await until('it has come', () => app.uploads.has('began'));
        client.destroy();
        await until('it has ended', () => app.uploads.size > 1);
        assert.deepEqual([...app.uploads], ['began', 'broke off']);
      });

      test('gone, and there again', async () => {
        app.stop();
        const down = await call('/ok');
        const unwell =
          'failed to invoke, id: probe, err: rpc error: code = Internal desc = app is not in a healthy state';
        const words = async () => JSON.parse((await call('/ok')).body).message;
        await until(words, async () => (await words()) === unwell);
        app = await startApp(protocol, app.port);
        await until('it is called again', async () => (await call('/ok')).status === 200);
        assert.equal(down.status, 500);
        assert.match(
          down.body,
          /connection refused|not in a healthy state|EOF|broken pipe|connection reset/,
        );
      });
    });
  }
}

interface App {
  readonly port: number;
  /** `GET /path 2.0` */
  readonly asked: ReadonlySet<string>;
  /** What became of uploads. */
  readonly uploads: ReadonlySet<string>;
  connections(): number;
  goOn(): void;
  stop(): void;
}

async function startApp(protocol: 'https' | 'h2c', port = 0): Promise<App> {
  const { certificate: cert, key } = await selfSigned();
  const asked = new Set<string>();
  const uploads = new Set<string>();
  const sockets = new Set<Socket>();
  let goOn = (): void => {};
  const handler = (req: Http2ServerRequest, res: Http2ServerResponse): void => {
    const chunks: Buffer[] = [];
    const broken = (): boolean => protocol === 'h2c' && req.stream.closed;
    const cut = (): void => {
      if (protocol === 'h2c') req.stream.destroy(new Error('cut'));
      else res.destroy();
    };
    req.on('error', () => {});
    res.on('error', () => {});
    if (req.url === '/upload') {
      req
        .on('data', () => uploads.add('began'))
        .on('end', () => uploads.add(broken() ? 'broke off' : 'whole'));
      req.on('aborted', () => uploads.add('broke off'));
      return;
    }
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      asked.add(`${req.method} ${req.url} ${req.httpVersion}`);
      switch (req.url) {
        case '/dapr/subscribe':
          res.writeHead(200, { 'content-type': 'application/json' });
          res.end('[{"pubsubname":"bus","topic":"t","route":"/event"}]');
          return;
        case '/none':
          res.writeHead(204).end();
          return;
        case '/long':
          res.end(Buffer.alloc(3_000_000, 'x'));
          return;
        case '/headers':
          res.end(JSON.stringify(req.headers));
          return;
        case '/slow':
          setTimeout(() => res.end('slow'), 200);
          return;
        case '/half':
          res.writeHead(200);
          res.write('half');
          setTimeout(cut, 30);
          return;
        case '/die':
          cut();
          return;
        case '/events': {
          let sent = 0;
          goOn = () => {
            if (sent === 3) res.end();
            else res.write(`data: ${sent++}\n\n`);
          };
          res.writeHead(200, { 'content-type': 'text/event-stream' });
          goOn();
          return;
        }
        default:
          res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] });
          res.end(Buffer.concat(chunks));
      }
    });
  };
  const server: Server =
    protocol === 'https'
      ? https.createServer({ cert, key }, handler as never)
      : http2.createServer(handler).on('session', (session) => session.on('error', () => {}));
  server.on(protocol === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    uploads,
    connections: () => sockets.size,
    goOn: () => goOn(),
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
