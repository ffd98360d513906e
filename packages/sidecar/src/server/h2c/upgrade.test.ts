import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { END_STREAM, frame, frameReader, GOAWAY, PREFACE, SETTINGS } from '../../testing/raw-h2.ts';
import { startApiServer } from '../doors/api-server.ts';
import { settingsOf } from './upgrade-frames.ts';

const ASK = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';

test('settings are pieces of six bytes in base64url', () => {
  assert.deepEqual(
    ['', 'AAMAAABk', 'AAMAAABkAAQAAP__', 'AAMA', 'A*', 'AAMAAAB='].map(
      (header) => settingsOf(header)?.length,
    ),
    [0, 6, 12, undefined, undefined, undefined],
  );
});

test('the preface may come byte by byte, and long heads need more than a frame', async (t) => {
  const ask = await serve(t);
  const long = 'a'.repeat(40_000);
  const head = `GET /x HTTP/1.1\r\nHost: a\r\nx-long: ${long}\r\n${ASK}\r\n`;
  const after = Buffer.concat([
    PREFACE,
    frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255])),
  ]);
  const { frames, line } = await ask(
    head,
    [...after].map((byte) => Buffer.from([byte])),
  );
  assert.equal(line, 'HTTP/1.1 101 Switching Protocols');
  const ended = frames.find(({ flags, stream }) => stream === 1 && (flags & END_STREAM) > 0);
  assert.equal(ended?.payload.toString(), `/x ${long.length}`);
  const acknowledged = frames.filter(({ flags, type }) => type === SETTINGS && flags === 1);
  assert.equal(acknowledged.length, 1, 'one for the settings that the client has sent');
});

test('what is no HTTP/2 ends the connection', async (t) => {
  const ask = await serve(t);
  const head = `GET /x HTTP/1.1\r\nHost: a\r\n${ASK}\r\n`;
  const huge = frame(SETTINGS, 0, 0).fill(0xff, 0, 3);
  for (const after of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.concat([PREFACE, frame(6, 0, 0, Buffer.alloc(8))]),
    Buffer.concat([PREFACE, huge]),
  ]) {
    const { frames } = await ask(head, [after]);
    assert.deepEqual(
      frames.filter(({ type }) => type !== GOAWAY),
      [],
    );
  }
});

test('who asks and then says nothing is cut off', async (t) => {
  const ask = await serve(t, { headersTimeoutMs: 60 });
  const { frames } = await ask(`GET /x HTTP/1.1\r\nHost: a\r\n${ASK}\r\n`, []);
  assert.deepEqual(frames, []);
});

async function serve(t: TestContext, more: { headersTimeoutMs?: number } = {}) {
  const server = await startApiServer({
    hosts: ['127.0.0.1'],
    port: 0,
    flag: '--port',
    maxHeaderBytes: 64 * 1024,
    maxConnections: 100,
    h2c: true,
    onRequest: (req, res) => {
      const at = req.rawHeaders.indexOf('x-long');
      res.writeHead(200).end(`${req.url} ${at < 0 ? 0 : req.rawHeaders[at + 1]!.length}`);
    },
    ...more,
  });
  t.after(() => server.close());
  /** Resolves when the first request is answered, or the connection has ended. */
  return async (head: string, after: readonly Buffer[]) => {
    const socket = net.connect(server.port, '127.0.0.1').setNoDelay(true);
    const frames: Parameters<Parameters<typeof frameReader>[0]>[0][] = [];
    const done = Promise.withResolvers<void>();
    let text = '';
    const read = frameReader((one) => {
      frames.push(one);
      if (one.stream === 1 && (one.flags & END_STREAM) > 0) done.resolve();
    });
    socket.on('error', () => {}).on('close', () => done.resolve());
    socket.on('data', (bytes) => {
      if (text.includes('\r\n\r\n')) return read(bytes);
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      read(Buffer.from(text.slice(end), 'latin1'));
      for (const piece of after) socket.write(piece);
    });
    socket.write(head);
    await done.promise;
    socket.destroy();
    return { frames, line: text.split('\r\n', 1)[0] };
  };
}
