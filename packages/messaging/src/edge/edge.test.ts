import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import type { Message } from '../message.ts';
import { type Outbox, openOutbox } from '../outbox.ts';
import type { OutboxOptions } from '../outbox-options.ts';
import type { EdgeOptions } from './edge-options.ts';
import { HOSTS } from './testing/edge-hosts.ts';
import { rawConnection } from './testing/raw-request.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

for (const [name, host] of Object.entries(HOSTS)) {
  describe(`an edge in ${name}`, () => {
    test('accepts an event with 202, where it can be looked up, and keeps its bytes', async (t) => {
      const { post, ask, kept } = await edge(t);
      const body = Buffer.from([0, 255, 10, 13, 128]);
      const answer = await post(body, { 'content-type': 'image/x-odd' });
      const { id } = answer.json;
      const seen = [await ask('GET', answer.headers.get('location')!)];
      seen.push(await ask('HEAD', `/process/${id}`));

      assert.deepEqual(
        [answer.status, answer.json, answer.headers.get('location')],
        [202, { status: 'accepted', id }, `/process/${id}`],
      );
      const [message] = await kept();
      assert.deepEqual(
        [message?.id, message?.topic, Buffer.from(message!.body), message?.headers],
        [id, 'orders', body, { 'content-type': 'image/x-odd' }],
      );
      assert.deepEqual(
        seen.map(({ status, text }) => `${status} ${text}`),
        [`200 {"id":"${id}","status":"accepted","deliveries":0}`, '200 '],
      );
    });

    test('names the event by its idempotency-key, so that a retry is no second event', async (t) => {
      const { post, kept } = await edge(t);
      const first = await post('one', { 'idempotency-key': 'order 7/a' });
      const again = await post('two', { 'idempotency-key': '"order 7/a"' });
      const [message, ...more] = await kept();

      assert.deepEqual(
        [first, again].map(({ status, json }) => ({ status, ...json })),
        [
          { status: 'accepted', id: 'order 7/a' },
          { status: 'accepted', id: 'order 7/a', duplicate: true },
        ],
      );
      assert.deepEqual([first.status, again.status], [202, 202]);
      assert.equal(first.headers.get('location'), '/process/order%207%2Fa');
      assert.deepEqual([String(message?.body), more], ['one', []]);
    });

    test('passes a trace on with the event, and drops a broken one', async (t) => {
      const { post, kept } = await edge(t);
      await post('a', { traceparent: PARENT, tracestate: 'v=1' });
      await post('b', { traceparent: 'rubbish', tracestate: 'v=1' });
      assert.deepEqual(
        (await kept()).map(({ headers }) => headers),
        [
          { 'content-type': 'text/plain;charset=UTF-8', traceparent: PARENT, tracestate: 'v=1' },
          { 'content-type': 'text/plain;charset=UTF-8' },
        ],
      );
    });

    test('refuses what is no JSON where JSON is asked for, and says where it breaks', async (t) => {
      const { post, kept } = await edge(t, { json: true });
      const answers = [
        await post(''),
        await post('{"a":1,\n "b":]}'),
        await post('{"a":'),
        await post(Buffer.from([0x22, 0xc3, 0xa9, 0xff, 0x22])),
        await post('{"a":1}', { 'content-encoding': 'gzip' }),
        await post('{"a":1}'),
      ];
      assert.deepEqual(
        answers.map(({ status, json }) => `${status} ${json.error ?? json.status}`),
        [
          '400 The body is empty; it must be JSON.',
          '400 The body must be JSON: it breaks at line 2, column 6.',
          '400 The body must be JSON: it ends too soon, at line 1, column 6.',
          '400 The body must be JSON: it is not UTF-8 from byte 3 on.',
          '415 The body must be plain JSON, without content-encoding "gzip".',
          '202 accepted',
        ],
      );
      assert.equal((await kept()).length, 1);
    });

    test('finds topic and key in the event, and refuses one that belongs nowhere', async (t) => {
      const { post, kept } = await edge(t, {
        json: true,
        topic: ({ json }) => (json as { type?: string }).type,
        key: ({ json }) => (json as { customer?: string }).customer,
      });
      const answers = [
        await post('{"type":"invoices","customer":"7"}'),
        await post('{"customer":"7"}'),
        await post(`{"type":"a","customer":"${'x'.repeat(256)}"}`),
        await post('{"type":"a","customer":"\\u0000"}'),
        await post('{"type":"a"}', { 'idempotency-key': 'x'.repeat(256) }),
        await post('{"type":"a"}', { 'idempotency-key': 'é' }),
      ];
      assert.deepEqual(
        answers.map(({ status, json }) => `${status} ${json.error ?? json.status}`),
        [
          '202 accepted',
          '422 The event is for no topic that is known here.',
          '422 The event’s key must be text of 1 to 255 characters, without U+0000.',
          '422 The event’s key must be text of 1 to 255 characters, without U+0000.',
          '400 idempotency-key must be 1 to 255 printable characters of ASCII.',
          '400 idempotency-key must be 1 to 255 printable characters of ASCII.',
        ],
      );
      assert.deepEqual(
        (await kept()).map(({ topic, key }) => [topic, key]),
        [['invoices', '7']],
      );
    });

    test('says 503 and when to come back while the outbox is full, or cannot be read', async (t) => {
      const problems: unknown[] = [];
      const store = memoryStore();
      let broken = false;
      const down = () => Promise.reject(new StoreUnavailableError('/secret/outbox.db', 2_300));
      const { post, ask } = await edge(
        t,
        { onProblem: (error) => problems.push(error) },
        {
          limits: { maxMessages: 1 },
          store: {
            ...store,
            append: (...args) => (broken ? down() : store.append(...args)),
            find: (id) => (broken ? down() : store.find(id)),
          },
        },
      );
      await post('1');
      const answers = [await post('2', { 'idempotency-key': 'a' })];
      broken = true;
      answers.push(await post('3', { 'idempotency-key': 'b' }), await ask('GET', '/process/x'));

      assert.deepEqual(
        answers.map(({ status, json, headers }) => [status, headers.get('retry-after'), json]),
        [
          [
            503,
            '1',
            {
              error:
                'The event was not accepted, because too many wait to be delivered. Send it again in 1 s.',
              code: 'OUTBOX_FULL',
              id: 'a',
            },
          ],
          [
            503,
            '3',
            {
              error:
                'The event cannot be promised to be kept. Send it again in 3 s, under the same id.',
              code: 'OUTBOX_UNAVAILABLE',
              id: 'b',
            },
          ],
          [
            503,
            '3',
            {
              error: 'What became of the event cannot be looked up now.',
              code: 'OUTBOX_UNAVAILABLE',
            },
          ],
        ],
      );
      assert.equal(problems.length, 3);
    });

    test('knows two places and their methods; what lies elsewhere is not its own', async (t) => {
      const { ask } = await edge(t);
      const answers = [
        await ask('PUT', '/process'),
        await ask('GET', '/process?a=1'),
        await ask('DELETE', '/process/7'),
        await ask('GET', '/process/7'),
        await ask('GET', '/process/%zz'),
        await ask('GET', '/process/a/b'),
        await ask('POST', '/processes'),
      ];
      // Fastify refuses a URL that is wrongly escaped before anybody sees it.
      const malformed = name === 'fastify' ? '400' : '404';
      assert.deepEqual(
        answers.map(({ status, headers }) => `${status} ${headers.get('allow') ?? ''}`.trim()),
        ['405 POST', '405 POST', '405 GET, HEAD', '404', malformed, '404', '404'],
      );
    });

    test('refuses a body that is too large before it is read, and the client hears it', async (t) => {
      const { port, kept, post } = await edge(t, { maxBodyBytes: 1_000 });
      const said = rawConnection(port);
      said.write('POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\nabc');
      const counted = rawConnection(port);
      counted.write('POST /process HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
      counted.write(`400\r\n${'x'.repeat(1_024)}\r\n`);
      const asked = rawConnection(port);
      asked.write(
        'POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\nexpect: 100-continue\r\n\r\n',
      );
      const answers = [said, counted, asked].map((raw) => raw.heard('bytes.'));
      for (const answer of await Promise.all(answers)) {
        assert.match(answer, /^HTTP\/1.1 413 /);
        assert.match(answer, /\{"error":"The body is larger than 1000 bytes."\}/);
      }
      // Those that go on sending into the void are cut off.
      await Promise.all([said.closed, counted.closed, asked.closed]);
      assert.deepEqual([(await post('x'.repeat(1_000))).status, (await kept()).length], [202, 1]);
    });

    test('tells a client that asks first to go on, once', async (t) => {
      const { port } = await edge(t);
      const raw = rawConnection(port);
      raw.write(
        'POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n',
      );
      await raw.heard('\r\n\r\n');
      raw.write('{}');
      const answer = await raw.heard('accepted');
      raw.destroy();
      assert.match(answer, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 Accepted/);
    });

    test('a client that stops sending gets 408, and one whose body takes too long in all', async (t) => {
      const stalls = await edge(t, { stallMs: 30 });
      const lasts = await edge(t, { readMs: 60, stallMs: 600_000 });
      const head = 'POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nx';
      const raws = [stalls, lasts].map(({ port }) => rawConnection(port));
      for (const raw of raws) raw.write(head);
      const answers = await Promise.all(raws.map((raw) => raw.heard('in time')));
      for (const answer of answers) assert.match(answer, /^HTTP\/1.1 408 Request Timeout/);
      await Promise.all(raws.map(({ closed }) => closed));
      assert.deepEqual([await stalls.kept(), await lasts.kept()], [[], []]);
    });

    test('a client that hangs up half-way leaves no event', async (t) => {
      const { port, kept, post } = await edge(t);
      const heads = ['content-length: 10', 'transfer-encoding: chunked'];
      for (const head of heads) {
        const raw = rawConnection(port);
        raw.write(`POST /process HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n2\r\nxx`);
        raw.destroy();
        await raw.closed;
      }
      await post('whole');
      assert.deepEqual(
        (await kept()).map(({ body }) => String(body)),
        ['whole'],
      );
    });
  });

  async function edge(
    t: TestContext,
    options: Partial<EdgeOptions> = {},
    given: Partial<OutboxOptions> = {},
  ) {
    const outbox: Outbox = await openOutbox({ store: memoryStore(), ...given });
    t.after(() => outbox.close());
    const port = await host(t, { outbox, topic: 'orders', ...options });
    const ask = async (
      method: string,
      path: string,
      body?: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string> = {},
    ) => {
      const init = { method, headers, ...(body !== undefined && { body }) };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      const text = await response.text();
      const json = text.startsWith('{') ? JSON.parse(text) : {};
      return { status: response.status, headers: response.headers, text, json };
    };
    return {
      port,
      ask,
      post: (body: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>) =>
        ask('POST', '/process', body, headers),
      kept: async (): Promise<readonly Message[]> => (await outbox.waiting()).messages,
    };
  }
}
