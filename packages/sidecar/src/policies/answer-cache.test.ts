import assert from 'node:assert/strict';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startMesh } from '../testing/start-mesh.ts';

const document = (cache: string, more = ''): string => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: kept }
spec:
  policies:
    caches: { kept: { ${cache} } }
    fallbacks: { sorry: { body: sorry } }
  targets:
    apps: { callee: { cache: kept${more} } }
`;

describe('a cache', () => {
  test('asks once for one path and query, and once for all who ask at a time', async (t) => {
    const app = counting();
    const { url } = await startMesh(t, app.listener, { resiliency: document('ttl: 1h') });

    const together = await Promise.all([1, 2, 3, 4].map(() => ask(`${url}/a?x=1`)));
    const later = await ask(`${url}/a?x=1`);
    const other = await ask(`${url}/a?x=2`);

    assert.deepEqual(
      [...together, later, other].map(({ text }) => text),
      ['answer 1', 'answer 1', 'answer 1', 'answer 1', 'answer 1', 'answer 2'],
    );
    assert.deepEqual(app.calls, ['GET /a?x=1', 'GET /a?x=2']);
  });

  test('keeps nothing that is for one caller: other verbs, credentials, ranges, cookies, private answers', async (t) => {
    const app = counting((req, res) => {
      const header = new URL(req.url!, 'http://a').searchParams.get('header');
      if (header !== null) res.setHeader(...(header.split('=') as [string, string]));
      res.statusCode = req.url === '/created' ? 201 : 200;
      res.end('answer');
    });
    const { url } = await startMesh(t, app.listener, { resiliency: document('ttl: 1h') });
    const requests: [string, RequestInit?][] = [
      ['post', { method: 'POST', body: '' }],
      ['auth', { headers: { authorization: 'Bearer x' } }],
      ['cookie', { headers: { cookie: 'a=b' } }],
      ['range', { headers: { range: 'bytes=0-1' } }],
      ['fresh', { headers: { 'cache-control': 'no-cache' } }],
      ['events', { headers: { accept: 'text/event-stream' } }],
      ['created'],
      ['x?header=set-cookie=a'],
      ['x?header=cache-control=private'],
      ['x?header=vary=x-tenant'],
    ];
    for (const [path, init] of [...requests, ...requests]) await ask(`${url}/${path}`, init);
    const kept: [string, RequestInit?][] = [
      ['x?header=vary=accept-encoding'],
      ['lang', { headers: { 'accept-language': 'de' } }],
      ['lang', { headers: { 'accept-language': 'fr' } }],
    ];
    const before = app.calls.length;
    for (const [path, init] of [...kept, ...kept]) await ask(`${url}/${path}`, init);

    assert.deepEqual([before, app.calls.length - before], [2 * requests.length, kept.length]);
  });

  test('gives an old answer in place of a failure, and says so', async (t) => {
    let down = false;
    const app = counting((_, res) => {
      res.statusCode = down ? 503 : 200;
      res.end(down ? 'down' : 'fine');
    });
    const resiliency = document('ttl: 0s, staleIfError: 1h');
    const { url } = await startMesh(t, app.listener, { resiliency });

    const first = await ask(`${url}/a`);
    down = true;
    const second = await ask(`${url}/a`);
    const unknown = await ask(`${url}/b`);

    assert.deepEqual(
      [first, second, unknown].map((each) => [each.status, each.text, each.degraded]),
      [
        [200, 'fine', undefined],
        [200, 'fine', 'kept'],
        [503, 'down', undefined],
      ],
    );
  });

  test('answers before the fallback does, which answers for what was never kept', async (t) => {
    let down = false;
    const app = counting((_, res) => {
      if (down) res.destroy();
      else res.end('fine');
    });
    const resiliency = document('ttl: 0s, staleIfError: 1h', ', fallback: sorry');
    const { url } = await startMesh(t, app.listener, { resiliency });

    await ask(`${url}/a`);
    down = true;

    assert.deepEqual(
      [await ask(`${url}/a`), await ask(`${url}/b`)].map(({ text, degraded }) => [text, degraded]),
      [
        ['fine', 'kept'],
        ['sorry', 'sorry'],
      ],
    );
  });

  test('renews an answer in the background while it is given', async (t) => {
    const app = counting();
    const { url } = await startMesh(t, app.listener, {
      resiliency: document('ttl: 0s, stale: 1h'),
    });

    const first = await ask(`${url}/a`);
    const second = await ask(`${url}/a`);
    await until('it is renewed', () => app.calls.length === 2);
    await until('the new one is given', async () => (await ask(`${url}/a`)).text !== 'answer 1');

    assert.deepEqual([first.text, second.text], ['answer 1', 'answer 1']);
  });

  test('passes answers on that are too long to keep, whole, to each who asked for one', async (t) => {
    const app = counting((_, res) => {
      res.write('x'.repeat(40_000));
      setTimeout(() => res.end('y'.repeat(40_000)), 20);
    });
    const resiliency = document('ttl: 1h, maxBytes: 65536');
    const { url } = await startMesh(t, app.listener, { resiliency });

    const answers = await Promise.all([1, 2, 3].map(() => ask(`${url}/long`)));

    assert.deepEqual(
      answers.map(({ text }) => text.length),
      [80_000, 80_000, 80_000],
    );
    assert.equal(app.calls.length, 3);
  });

  test('forgets the answer asked for longest ago when there are too many', async (t) => {
    const app = counting();
    const resiliency = document('ttl: 1h, maxEntries: 2');
    const { url } = await startMesh(t, app.listener, { resiliency });

    for (const path of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(`${url}/${path}`);

    assert.deepEqual(app.calls, ['GET /a', 'GET /b', 'GET /c', 'GET /b']);
  });

  test('does not break off for others when the one who asked first has gone', async (t) => {
    const held: ServerResponse[] = [];
    const app = counting((_, res) => void held.push(res));
    const { url } = await startMesh(t, app.listener, { resiliency: document('ttl: 1h') });

    const gone = new AbortController();
    void ask(`${url}/a`, { signal: gone.signal }).catch(() => {});
    await until('the first call is in the application', () => held.length === 1);
    const second = ask(`${url}/a`);
    // The second is known to wait when a call that came after it has passed by.
    await ask(`${new URL(url).origin}/v1.0/metadata`);
    gone.abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    held[0]!.end('for the second');

    assert.deepEqual(
      [(await second).text, app.calls.filter((call) => call === 'GET /a')],
      ['for the second', ['GET /a']],
    );
  });

  test('lets go of the application when all who waited have gone', async (t) => {
    const closed: string[] = [];
    const app = counting((req, res) => void res.on('close', () => void closed.push(req.url!)));
    const { url } = await startMesh(t, app.listener, { resiliency: document('ttl: 1h') });

    const clients = [1, 2].map(() => http.get(`${url}/a`).on('error', () => {}));
    await until('the call is in the application', () => app.calls.length === 1);
    for (const client of clients) client.destroy();

    await until('the call is given up', () => closed.length === 1);
  });

  test('keeps its answers when the file changes, under the new options', async (t) => {
    const app = counting();
    const mesh = await startMesh(t, app.listener, { resiliency: document('ttl: 1h') });

    await ask(`${mesh.url}/a`);
    await mesh.write('resiliency.yaml', document('ttl: 2h'));
    await mesh.caller.reload();
    const kept = await ask(`${mesh.url}/a`);
    await mesh.write('resiliency.yaml', document('ttl: 0s'));
    await mesh.caller.reload();
    const asked = await ask(`${mesh.url}/a`);

    assert.deepEqual([kept.text, asked.text], ['answer 1', 'answer 2']);
  });
});

function counting(answer?: (req: IncomingMessage, res: ServerResponse) => void): {
  listener: (req: IncomingMessage, res: ServerResponse) => void;
  readonly calls: string[];
} {
  const calls: string[] = [];
  return {
    calls,
    listener(req, res) {
      if (req.url?.startsWith('/dapr/') || req.url === '/v') {
        res.writeHead(404).end();
        return;
      }
      calls.push(`${req.method} ${req.url}`);
      req.resume();
      const count = calls.length;
      if (answer === undefined) setTimeout(() => res.end(`answer ${count}`), 20);
      else answer(req, res);
    },
  };
}

async function ask(url: string, init?: RequestInit) {
  const answer = await fetch(url, init);
  const degraded = answer.headers.get('holdfast-degraded') ?? undefined;
  return { status: answer.status, text: await answer.text(), degraded };
}
