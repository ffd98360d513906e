import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { sendRaw } from './testing/raw-http.ts';
import { startMesh } from './testing/start-mesh.ts';

const echo: http.RequestListener = (req, res) => void req.pipe(res);
const MB = 1024 * 1024;

describe('bodies', () => {
  test('of several megabytes arrive as they were, with and without a length', async (t) => {
    const { url } = await startMesh(t, echo);
    const body = randomBytes(3 * MB);
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < body.length; at += 50_000)
          controller.enqueue(body.subarray(at, at + 50_000));
        controller.close();
      },
    });

    const sized = await fetch(`${url}/sized`, { method: 'POST', body });
    const chunked = await fetch(`${url}/chunked`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);

    assert.ok(body.equals(Buffer.from(await sized.arrayBuffer())), 'with a length');
    assert.ok(body.equals(Buffer.from(await chunked.arrayBuffer())), 'without a length');
  });

  test('stream both ways at once: the answer begins before the request has ended', async (t) => {
    const { caller } = await startMesh(t, echo);
    const socket = net.connect(caller.ports.http, '127.0.0.1');
    t.after(() => void socket.destroy());
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
    });
    socket.write(
      'POST /v1.0/invoke/callee/method/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    await until('the first chunk is back', () => seen.includes('first'));

    socket.write('6\r\nsecond\r\n0\r\n\r\n');

    await until('the end is back', () => seen.endsWith('0\r\n\r\n'));
    assert.match(seen, /200 OK[\s\S]*first[\s\S]*second/);
  });

  test('a head without a body yet is passed on at once', async (t) => {
    const { url } = await startMesh(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    });

    const answer = await fetch(`${url}/events`);
    await answer.body?.cancel();

    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  });

  test('a client that does not read holds the application back, not memory', async (t) => {
    let sent = 0;
    const { caller } = await startMesh(
      t,
      (_req, res) => {
        const more = (): void => {
          let goOn = true;
          while (goOn && sent < 64 * MB) {
            goOn = res.write(Buffer.alloc(64 * 1024));
            sent += 64 * 1024;
          }
          if (sent < 64 * MB) res.once('drain', more);
          else res.end();
        };
        more();
      },
      { caller: { maxBodyBytes: 100 * MB }, callee: { maxBodyBytes: 100 * MB } },
    );
    const socket = net.connect(caller.ports.http, '127.0.0.1');
    t.after(() => void socket.destroy());
    socket.write('GET /v1.0/invoke/callee/method/x HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();

    await until('the application is held back', async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return sent > 0 && sent === before;
    });

    assert.ok(sent < 32 * MB, `${sent} bytes were taken from the application`);
  });

  test('a client that stops reading for too long is cut off', async (t) => {
    const cut = Promise.withResolvers<void>();
    const { caller } = await startMesh(
      t,
      (_req, res) => {
        res.once('close', () => cut.resolve());
        const more = (): void => {
          while (res.write(Buffer.alloc(64 * 1024)));
          res.once('drain', more);
        };
        more();
      },
      { caller: { stallMs: 200, maxBodyBytes: 1024 * MB }, callee: { maxBodyBytes: 1024 * MB } },
    );
    const socket = net.connect(caller.ports.http, '127.0.0.1');
    t.after(() => void socket.destroy());
    socket.write('GET /v1.0/invoke/callee/method/x HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.pause();
      // What is still in the kernel comes, and then the end.
      void cut.promise.then(() => socket.resume());
    });

    await new Promise((resolve) => socket.once('close', resolve));
  });

  test('a client that stops sending within its body gets 408', async (t) => {
    const { caller } = await startMesh(t, echo, { caller: { stallMs: 150 } });
    const begun = 'POST /v1.0/invoke/callee/method/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';

    const small = await sendRaw(caller.ports.http, {
      raw: `${begun}Content-Length: 10\r\n\r\nabc`,
    });
    const large = await sendRaw(caller.ports.http, {
      raw: `${begun}Content-Length: 100000\r\n\r\nabc`,
    });

    assert.deepEqual([small.status, large.complete], [408, large.status === 408]);
  });

  test('over the limit and without a length: 413, or a broken answer once it has begun', async (t) => {
    const { caller } = await startMesh(
      t,
      (req, res) => {
        req.resume().on('end', () => res.end('never'));
      },
      { caller: { maxBodyBytes: 1000 } },
    );
    const chunk = `3e8\r\n${'a'.repeat(1000)}\r\n`;

    const answer = await sendRaw(caller.ports.http, {
      raw: `POST /v1.0/invoke/callee/method/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
    });

    assert.deepEqual([answer.status, answer.complete], [413, true]);
  });

  test('the limit is on requests: an answer passes whatever its length', async (t) => {
    const { url } = await startMesh(t, (_req, res) => res.end('a'.repeat(5000)), {
      caller: { maxBodyBytes: 1000 },
      callee: { maxBodyBytes: 1000 },
    });
    const answer = await fetch(`${url}/x`);
    assert.deepEqual([answer.status, (await answer.text()).length], [200, 5000]);
  });

  test('when the client leaves, the application sees it', async (t) => {
    const left = Promise.withResolvers<string>();
    const caller = new AbortController();
    const { url } = await startMesh(t, (req, res) => {
      res.on('close', () => left.resolve(res.writableFinished ? 'finished' : 'cut'));
      req.resume();
      caller.abort();
    });
    const answer = fetch(`${url}/x`, { signal: caller.signal }).catch(() => 'aborted');

    assert.deepEqual([await answer, await left.promise], ['aborted', 'cut']);
  });
});

describe('connections', () => {
  test('a kept connection that the application closed is no error for GET', async (t) => {
    let sockets = 0;
    const { url } = await startMesh(t, (req, res) => {
      sockets += 1;
      res.end('ok');
      // The moment the next request is on its way, the connection is gone.
      req.socket.once('data', () => req.socket.destroy());
    });

    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await fetch(`${url}/x`)).status);

    assert.deepEqual([statuses, sockets >= 3], [[200, 200, 200], true]);
  });

  test('a thousand at once are all answered', async (t) => {
    const { caller } = await startMesh(t, (_req, res) => void setTimeout(() => res.end('ok'), 20));
    const agent = new http.Agent({ maxSockets: 1000 });
    const call = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { port: caller.ports.http, path: '/v1.0/invoke/callee/method/x', agent };
        http
          .get(options, (res) => {
            res.resume().on('end', () => resolve(res.statusCode ?? 0));
          })
          .on('error', reject);
      });

    const statuses = await Promise.all(Array.from({ length: 1000 }, call));
    agent.destroy();

    assert.equal(statuses.filter((status) => status === 200).length, 1000);
  });
});
