import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { postgresServer, redisServer, Unavailable } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

type Request = readonly [to: string, init: RequestInit];
type Store = (typeof STORES)[number];
const STORES = ['memory', 'sqlite', 'redis', 'postgres', 'postgres2'] as const;

interface Row {
  readonly title: string;
  /** `k` is there and has the value 1; `new` is not. */
  readonly request: Request;
  /** The status, and what is in its body; those of a store win over `all`. */
  readonly wanted: Partial<Record<Store | 'all', Wanted>>;
}
type Wanted = number | readonly [number, RegExp];

const remove = (query: string, key = 'k'): Request => [`/${key}?${query}`, { method: 'DELETE' }];
const post = (to: string, body: unknown): Request => [
  to,
  { method: 'POST', body: JSON.stringify(body) },
];
const save = (more: object, key = 'k') => post('', [{ key, value: 2, ...more }]);
const transact = (operation: string, more: object) =>
  post('/transaction', { operations: [{ operation, request: { key: 'k', value: 2, ...more } }] });

/** What a store does not know, in the places where Dapr's stores look at all. */
const UNKNOWN = [
  ['concurrency', 'foo', /unrecognized concurrency model 'foo'/],
  ['concurrency', 'First-Write', /unrecognized concurrency model 'First-Write'/],
  ['consistency', 'foo', /unrecognized consistency model 'foo'/],
] as const;

const unknownWords: readonly Row[] = UNKNOWN.flatMap(([name, value, words]) => {
  const told = { options: { [name]: value } };
  const said = `${name} ${value}`;
  return [
    { title: `save, ${said}`, request: save(told), wanted: { all: [500, words] } },
    {
      title: `delete, ${said}`,
      request: remove(`${name}=${value}`),
      wanted: { all: [500, words], postgres: 204, postgres2: 204 },
    },
    {
      title: `delete what is not there, ${said}`,
      request: remove(`${name}=${value}`, 'new'),
      wanted: { all: [500, words], postgres: 204, postgres2: 204 },
    },
    {
      title: `upsert in a transaction, ${said}`,
      request: transact('upsert', told),
      wanted: { all: [500, words], redis: 204 },
    },
    {
      title: `delete in a transaction, ${said}`,
      request: transact('delete', told),
      wanted: { all: 204, sqlite: [500, words] },
    },
  ] as const;
});

const TOO_MANY = '9223372036854775808';
const times: readonly Row[] = [
  ...['foo', ' 5', '1.5', '1e3'].map(
    (text): Row => ({
      title: `save, ttlInSeconds "${text}"`,
      request: save({ metadata: { ttlInSeconds: text } }),
      wanted: { all: [500, /strconv\.\w+: parsing .*: invalid syntax/] },
    }),
  ),
  {
    title: 'save, ttlInSeconds of more than 64 bits',
    request: save({ metadata: { ttlInSeconds: TOO_MANY } }),
    wanted: { all: [500, /strconv\.\w+: parsing .*: value out of range/] },
  },
  {
    title: 'upsert in a transaction, ttlInSeconds of more than 64 bits',
    request: transact('upsert', { metadata: { ttlInSeconds: TOO_MANY } }),
    wanted: { all: [500, /strconv\.\w+: parsing .*: value out of range/] },
  },
  {
    title: 'save, TTLInSeconds: metadata have their letter case',
    request: save({ metadata: { TTLInSeconds: 'foo' } }),
    wanted: { all: 204 },
  },
  {
    title: 'delete, with a ttlInSeconds that is no number',
    request: remove('metadata.ttlInSeconds=foo'),
    wanted: { all: 204 },
  },
];

const etags: readonly Row[] = [
  {
    title: 'save, etag 0, which Redis takes for none',
    request: save({ etag: '0' }),
    wanted: { all: 409, redis: 204 },
  },
  {
    title: 'save, any etag and last-write, which Redis takes for none',
    request: save({ etag: 'foo', options: { concurrency: 'last-write' } }),
    wanted: { all: 409, redis: 204, postgres: 400 },
  },
  {
    title: 'delete, etag 0, which Redis takes for none',
    request: ['/k', { method: 'DELETE', headers: { 'if-match': '0' } }],
    wanted: { all: 409, redis: 204 },
  },
  {
    title: 'delete, any etag and last-write',
    request: ['/k?concurrency=last-write', { method: 'DELETE', headers: { 'if-match': 'foo' } }],
    wanted: { all: 409, postgres: 400 },
  },
  {
    title: 'save, an etag of more than 64 bits',
    request: save({ etag: '18446744073709551616' }),
    wanted: { all: 409, redis: [400, /value out of range/], postgres: [400, /out of range/] },
  },
];

function conformance(
  make: Make,
  executable: string | undefined,
  { port, url }: { readonly port: number; readonly url: string },
): void {
  describe(`${make}, options of state requests`, () => {
    let mesh: Mesh;
    let folder = '';
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-state-options-'));
      const connectionString = `${url}?sslmode=disable`;
      const tables = { tableName: `one_${make}`, metadataTableName: `one_${make}_metadata` };
      const components = [
        component('memory', 'state.in-memory', {}),
        component('sqlite', 'state.sqlite', { connectionString: path.join(folder, 'state.db') }),
        component('redis', 'state.redis', {
          ...{ redisHost: `127.0.0.1:${port}`, redisPassword: '', keyPrefix: make },
        }),
        component('postgres', 'state.postgresql', { connectionString, ...tables }),
        component('postgres2', 'state.postgresql/v2', {
          ...{ connectionString, tablePrefix: `two_${make}_` },
        }),
      ];
      mesh = await startMesh(executable, { resources: { 'stores.yaml': components.join('---') } });
    });
    after(async () => {
      await mesh?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const store of STORES) {
      for (const { request, title, wanted } of [...unknownWords, ...times, ...etags]) {
        test(`${store}: ${title}`, async () => {
          const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/${store}`;
          const [seedTo, seed] = post('', [{ key: 'k', value: 1 }]);
          assert.equal((await fetch(at + seedTo, seed)).status, 204);
          const answer = await fetch(at + request[0], request[1]);
          const text = await answer.text();
          const wants = wanted[store] ?? wanted.all!;
          const [status, words] = typeof wants === 'number' ? [wants, /^/] : wants;
          assert.equal(answer.status, status, text);
          assert.match(text, words);
        });
      }
    }
  });
}

const component = (name: string, type: string, metadata: Readonly<Record<string, string>>) => {
  const [kind, version = 'v1'] = type.split(/\/(?=v\d)/);
  const items = Object.entries(metadata).map(
    (pair) => `    - { name: ${pair[0]}, value: "${pair[1]}" }`,
  );
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${kind}
  version: ${version}
  metadata:${items.length === 0 ? ' []' : `\n${items.join('\n')}`}
`;
};

const servers = [await postgresServer(), await redisServer()] as const;
const [postgres, redis] = servers;
if (postgres instanceof Unavailable || redis instanceof Unavailable) {
  const { why } = servers.find((one) => one instanceof Unavailable) as Unavailable;
  if (process.env.CI === 'true') throw new Error(why);
  test('options of state requests', { skip: why }, () => {});
} else {
  after(() => Promise.all([postgres.process.remove(), redis.process.remove()]));
  await bothMakes((make, executable) =>
    conformance(make, executable, { url: postgres.url, port: redis.port }),
  );
}
