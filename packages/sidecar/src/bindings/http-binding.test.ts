import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { until } from '@holdfast/test-servers';
import { ComponentSettings } from '../components/component-settings.ts';
import { BindingError } from './binding.ts';
import { httpBinding } from './http-binding.ts';

test('http gives up an answer that takes longer than responseTimeout, and the connection with it', async (t) => {
  let begun = 0;
  let closed = 0;
  const { open } = await server(t, (_req, res) => {
    begun += 1;
    res.on('close', () => (closed += 1));
  });
  const { ask } = await open({ responseTimeout: '50ms' });
  const words = await ask('get');
  // Where this machine is slow it has not come as far as the server by then.
  await until('every call is given up', () => closed === begun);
  assert.equal(words, 'Get "ORIGIN": context deadline exceeded');
});

test('http gives up a call whose attempt has ended', async (t) => {
  let closed = 0;
  const attempt = new AbortController();
  const { open } = await server(t, (_req, res) => {
    res.on('close', () => (closed += 1));
    attempt.abort(new Error('the attempt is over'));
  });
  const { ask } = await open({});
  assert.equal(await ask('get', {}, attempt.signal), 'Get "ORIGIN": the attempt is over');
  await until('the call is given up', () => closed === 1);
  assert.equal(await ask('get', {}, AbortSignal.abort(new Error('over'))), 'Get "ORIGIN": over');
});

test('http never makes half an answer look whole', async (t) => {
  const { open } = await server(t, (req, res) => {
    if (req.url === '/cut') {
      res.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => res.destroy(), 20);
    } else res.end('x'.repeat(2_000));
  });
  const { ask } = await open({ maxResponseBodySize: '1Ki' });
  assert.deepEqual(
    [await ask('get', { path: 'cut' }), await ask('get')],
    ['Get "ORIGIN/cut": EOF', 'Get "ORIGIN": the answer exceeds maxResponseBodySize of 1024 bytes'],
  );
});

test('http takes no framing from metadata, and no line breaks into a request', async (t) => {
  const seen: string[] = [];
  const { open } = await server(t, (req, res) => {
    seen.push(`${req.method} ${req.url} ${req.headers['transfer-encoding'] ?? ''}`);
    res.end('ok');
  });
  const { ask } = await open({});
  const outcomes = [
    await ask('post', { 'Transfer-Encoding': 'chunked', 'Content-Length': '0', Host: 'other' }),
    await ask('get', { path: 'a b\r\nX: y' }),
    await ask('get', { 'X-Evil': 'a\r\nX-More: b' }),
  ];
  assert.deepEqual(
    [outcomes.slice(0, 2), seen],
    [
      ['ok', 'ok'],
      ['POST / ', 'GET /a%20b%0D%0AX:%20y '],
    ],
  );
  assert.match(outcomes[2]!, /invalid x-evil header/i);
});

test('http tells what stood beside an error, and passes errors on where it is told to', async (t) => {
  const { open } = await server(t, (_req, res) => {
    res.writeHead(503, 'Gone Fishing', { 'retry-after': '7' }).end('later');
  });
  const { binding, ask } = await open({});
  const error = await binding.invoke(request('get')).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof BindingError);
  assert.deepEqual(
    [error.message, error.metadata['Retry-After'], error.metadata.status],
    ['received status code 503', '7', '503 Gone Fishing'],
  );
  assert.equal(await ask('get', { errorIfNot2XX: 'false' }), 'later');
});

test('http says what is wrong with its metadata', async () => {
  const words = (given: Record<string, string>) =>
    httpBinding(new ComponentSettings('web', Object.entries(given)), systemClock).then(
      () => 'open',
      (error: Error) => error.message,
    );
  const url = 'http://127.0.0.1:1';
  assert.deepEqual(
    [
      await words({}),
      await words({ url: 'ftp://x' }),
      await words({ url, maxResponseBodySize: 'much' }),
      await words({ url, responseTimeout: 'soon' }),
      await words({ url, MTLSRenegotiation: 'Often' }),
      (await words({ url, MTLSRootCA: '/no/such/file' })).replace(/: ENOENT.*/, ''),
    ],
    [
      'component web: metadata url is missing',
      'metadata url is "ftp://x", and must be http://HOST[:PORT]/… or https://…',
      'invalid value for maxResponseBodySize',
      'component web: metadata responseTimeout is "soon", which has a unit without a number; write 500ms, 5s or 1m30s',
      'invalid renegotiation value: Often',
      'provided "MTLSRootCA" value is neither a valid file path or nor a valid pem encoded string',
    ],
  );
});

const request = (operation: string, metadata: Record<string, string> = {}) => ({
  operation,
  data: undefined,
  metadata,
  trace: [],
});

async function server(t: TestContext, answer: (req: IncomingMessage, res: ServerResponse) => void) {
  const listening = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  t.after(() => {
    listening.close();
    listening.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const open = async (metadata: Record<string, string>) => {
    const settings = new ComponentSettings('web', Object.entries({ url: origin, ...metadata }));
    const binding = await httpBinding(settings, systemClock);
    t.after(() => binding.close());
    /** The body of the answer, or what went wrong. */
    const ask = (operation: string, given = {}, signal?: AbortSignal) =>
      binding.invoke(request(operation, given), signal).then(
        (answered) => answered?.data.toString() ?? '',
        (error: Error) => error.message.replace(origin, 'ORIGIN'),
      );
    return { binding, ask };
  };
  return { open };
}
