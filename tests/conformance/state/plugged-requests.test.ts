import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type DeleteRequest,
  type GetRequest,
  OutputBinding,
  PubSub,
  QueriableStateStore,
  SecretStore,
  type SetRequest,
  StateStore,
  TransactionalStateStore,
} from '../../../packages/sidecar/src/pluggable/protos/components_pb.ts';
import {
  type RunningComponent,
  startComponent,
} from '../../../packages/sidecar/src/pluggable/testing/start-component.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { daprClient } from '../makes/grpc-client.ts';

await bothMakes(conformance);

/** What a pluggable component is told of a request: all that its client has said. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, requests as a pluggable component sees them`, () => {
    const asked: unknown[] = [];
    const endings: (() => unknown)[] = [];
    let component: RunningComponent;
    let sidecar: Flagged;
    before(async () => {
      const services = [
        ...[StateStore, TransactionalStateStore, QueriableStateStore],
        ...[SecretStore, PubSub, OutputBinding],
      ];
      const t = { after: (end: () => unknown) => void endings.push(end) };
      component = await startComponent(t as never, 'seeing', services, (router) => {
        const note = (call: string, said: object): object => {
          asked.push({ call, ...said });
          return {};
        };
        router.service(StateStore, {
          init: () => ({}),
          features: () => ({ features: ['ETAG', 'TRANSACTIONAL'] }),
          ping: () => ({}),
          get: (request) =>
            request.key === 'full'
              ? { data: Buffer.from('1'), metadata: { 'From-Store': 'a\nb', own: 'ä' } }
              : note('get', getOf(request)),
          set: (request) => note('set', setOf(request)),
          delete: (request) => note('delete', deleteOf(request)),
          bulkGet: ({ items, options }) =>
            note('bulkGet', { items: items.map(getOf), parallelism: options?.parallelism }),
          bulkSet: ({ items }) => note('bulkSet', { items: items.map(setOf) }),
          bulkDelete: ({ items }) => note('bulkDelete', { items: items.map(deleteOf) }),
        });
        router.service(TransactionalStateStore, {
          transact: ({ metadata, operations }) =>
            note('transact', {
              metadata,
              items: operations.map(({ request }) =>
                request.case === 'set'
                  ? setOf(request.value)
                  : deleteOf(request.value as DeleteRequest),
              ),
            }),
        });
        router.service(QueriableStateStore, {
          query: ({ metadata, query }) => {
            const { limit, token } = query!.pagination!;
            const page = { limit: Number(limit), token };
            const filter = Object.entries(query!.filter).map(([operator, { value }]) => [
              operator,
              Buffer.from(value).toString(),
            ]);
            note('query', { metadata, page, sort: query!.sort, filter });
            const found = { key: 'a', data: Buffer.from('{ "a": 1 }'), etag: { value: '1' } };
            const items = [found, { key: 'b', error: 'locked' }];
            return { items, token: 'next/2', metadata: { z: '1', a: '2' } };
          },
        });
        router.service(PubSub, {
          init: () => ({}),
          features: () => ({ features: ['BULK_PUBSUB'] }),
          publish: ({ data, metadata, pubsubName, topic }) =>
            note('publish', { pubsubName, topic, metadata, data: Buffer.from(data).toString() }),
          bulkPublish: ({ entries, metadata, pubsubName, topic }) =>
            note('bulkPublish', {
              ...{ pubsubName, topic, metadata },
              entries: entries.map(({ contentType, entryId, event, metadata }) => ({
                ...{ contentType, entryId, metadata, event: Buffer.from(event).toString() },
              })),
            }),
        });
        router.service(OutputBinding, {
          init: () => ({}),
          listOperations: () => ({ operations: ['do'] }),
          invoke: ({ data, metadata, operation }) =>
            note('invoke', { operation, metadata, data: Buffer.from(data).toString() }),
        });
        router.service(SecretStore, {
          init: () => ({}),
          features: () => ({}),
          ping: () => ({}),
          get: ({ key, metadata }) => note('secret', { key, metadata }),
          bulkGet: ({ metadata }) => note('secrets', { metadata }),
        });
      });
      sidecar = await startFlagged(executable, {
        flags: {},
        env: { DAPR_COMPONENTS_SOCKETS_FOLDER: component.folder },
        resources: {
          'state.yaml': componentYaml('store', 'state.seeing', { keyPrefix: 'none' }),
          'broker.yaml': componentYaml('broker', 'pubsub.seeing'),
          'binding.yaml': componentYaml('out', 'bindings.seeing'),
          'secrets.yaml': componentYaml('vault', 'secretstores.seeing'),
        },
      });
    });
    after(async () => {
      await sidecar?.stop();
      for (const end of endings) await end();
    });
    const http = async (method: string, path: string, body?: unknown, headers = {}) => {
      asked.length = 0;
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/${path}`;
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(url, { method, headers, ...text });
      assert.ok(answer.ok, await answer.text());
      return asked;
    };
    const grpc = () => {
      asked.length = 0;
      return daprClient(sidecar.ports.grpc);
    };
    const mine = { mine: '7' };

    test('a get', async () => {
      const wanted = [{ call: 'get', key: 'k', metadata: mine, consistency: 2 }];
      assert.deepEqual(
        await http('GET', 'state/store/k?metadata.mine=7&consistency=strong'),
        wanted,
      );
      await grpc().getState({ storeName: 'store', key: 'k', metadata: mine, consistency: 2 });
      assert.deepEqual(asked, wanted);
    });

    test('a bulk get', async () => {
      const items = ['a', 'b'].map((key) => ({ key, metadata: mine, consistency: 0 }));
      const body = { keys: ['a', 'b'], metadata: { mine: '6' } };
      const wanted = (parallelism: bigint) => [{ call: 'bulkGet', items, parallelism }];
      assert.deepEqual(await http('POST', 'state/store/bulk?metadata.mine=7', body), wanted(0n));
      const few = { storeName: 'store', keys: ['a', 'b'], metadata: mine, parallelism: 3 };
      await grpc().getBulkState(few);
      assert.deepEqual(asked, wanted(3n));
    });

    test('a save, of one item and of two', async () => {
      const options = { concurrency: 'last-write', consistency: 'eventual' };
      const item = { key: 'k', value: 1, metadata: { ttlInSeconds: 'a while' }, options };
      const seen = {
        ...{ key: 'k', value: '1', metadata: { ttlInSeconds: 'a while', mine: '7' } },
        ...{ etag: undefined, concurrency: 2, consistency: 1, contentType: 'text/x' },
      };
      const first = { ...item, contentType: 'text/x' };
      assert.deepEqual(await http('POST', 'state/store?metadata.mine=7', [first]), [
        { call: 'set', ...seen },
      ]);
      const second = { key: 'l', value: 'x', etag: '3', options: { concurrency: 'whatever' } };
      const other = {
        ...{ key: 'l', value: '"x"', metadata: {}, etag: '3' },
        ...{ concurrency: 0, consistency: 0, contentType: '' },
      };
      const { mine: _, ...own } = seen.metadata;
      assert.deepEqual(await http('POST', 'state/store', [first, second]), [
        { call: 'bulkSet', items: [{ ...seen, metadata: own }, other] },
      ]);
    });

    test('a delete', async () => {
      const path = 'state/store/k?metadata.mine=7&concurrency=first-write&consistency=strong';
      const seen = { call: 'delete', key: 'k', metadata: mine, concurrency: 1, consistency: 2 };
      assert.deepEqual(await http('DELETE', path, undefined, { 'if-match': '5' }), [
        { ...seen, etag: '5' },
      ]);
      await grpc().deleteState({
        ...{ storeName: 'store', key: 'k', metadata: mine },
        options: { concurrency: 1, consistency: 2 },
      });
      assert.deepEqual(asked, [{ ...seen, etag: undefined }]);
    });

    test('a transaction', async () => {
      const operations = [
        { operation: 'upsert', request: { key: 'a', value: 1, metadata: mine } },
        { operation: 'delete', request: { key: 'b', metadata: mine } },
      ];
      const none = { etag: undefined, concurrency: 0, consistency: 0 };
      const body = { operations, metadata: { whole: '1' } };
      assert.deepEqual(await http('POST', 'state/store/transaction?metadata.asked=2', body), [
        {
          call: 'transact',
          metadata: { whole: '1', asked: '2' },
          items: [
            { key: 'a', value: '1', metadata: { ...mine, asked: '2' }, contentType: '', ...none },
            { key: 'b', metadata: { ...mine, asked: '2' }, ...none },
          ],
        },
      ]);
    });

    test('a transaction over gRPC', async () => {
      const operations = [{ operationType: 'delete', request: { key: 'b' } }];
      const metadata = { whole: '1' };
      await grpc().executeStateTransaction({ storeName: 'store', operations, metadata });
      const none = { etag: undefined, concurrency: 0, consistency: 0 };
      const items = [{ key: 'b', metadata: {}, ...none }];
      assert.deepEqual(asked, [{ call: 'transact', metadata, items }]);
    });

    test('a query, whose page goes on where the component says', async () => {
      const filter = { AND: [{ EQ: { a: 1 } }, { IN: { 'b.c': ['x'] } }] };
      const sort = [{ key: 'a', order: 'DESC' }];
      const text = JSON.stringify({ filter, sort, page: { limit: 2, token: 'next/1' } });
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0-alpha1/state/store/query`;
      asked.length = 0;
      const answer = await fetch(`${url}?metadata.mine=7`, { method: 'POST', body: text });
      const wanted = {
        ...{ call: 'query', metadata: mine, page: { limit: 2, token: 'next/1' } },
        filter: [['AND', JSON.stringify(filter.AND)]],
      };
      const seen = () => asked.map((one) => ({ ...(one as object), sort: undefined }));
      assert.deepEqual(seen(), [{ ...wanted, sort: undefined }]);
      assert.equal(
        await answer.text(),
        '{"results":[{"key":"a","data":{"a":1},"etag":"1"},{"key":"b","data":null,"error":"locked"}],"token":"next/2","metadata":{"a":"2","z":"1"}}\n',
      );
      const { $typeName: _, ...page } = await grpc().queryStateAlpha1({
        ...{ storeName: 'store', query: text, metadata: mine },
      });
      assert.deepEqual(seen(), [{ ...wanted, sort: undefined }]);
      assert.deepEqual(
        [page.token, page.metadata, page.results.map(({ error, etag }) => [error, etag])],
        [
          'next/2',
          { a: '2', z: '1' },
          [
            ['', '1'],
            ['locked', ''],
          ],
        ],
      );
    });

    test('what a component says of an item comes back', async () => {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/state/store/full`;
      const { headers } = await fetch(url);
      assert.deepEqual(
        ['etag', 'metadata.from-store', 'metadata.own'].map((name) => headers.get(name)),
        [null, 'a b', 'Ã¤'],
      );
      const { metadata } = await grpc().getState({ storeName: 'store', key: 'full' });
      assert.deepEqual(metadata, { 'From-Store': 'a\nb', own: 'ä' });
    });

    test('a publication, and several', async () => {
      const headers = { 'content-type': 'text/plain' };
      const query = 'metadata.rawPayload=true&metadata.mine=7';
      const metadata = { rawPayload: 'true', mine: '7' };
      assert.deepEqual(await http('POST', `publish/broker/t?${query}`, 'x', headers), [
        { call: 'publish', pubsubName: 'broker', topic: 't', metadata, data: '"x"' },
      ]);
      const entries = [
        { entryId: 'a', event: 'one', contentType: 'text/plain', metadata: { own: '1' } },
        { entryId: 'b', event: { n: 2 }, contentType: 'application/json' },
      ];
      const [first, second] = entries.map(({ contentType, entryId }) => ({ contentType, entryId }));
      const own = { own: '1', ...metadata };
      assert.deepEqual(await http('POST', `publish/bulk/broker/t?${query}`, entries), [
        {
          ...{ call: 'bulkPublish', pubsubName: 'broker', topic: 't' },
          // Of those of all an entry has the more only where it says some itself.
          metadata,
          entries: [
            { ...first, metadata: own, event: 'one' },
            { ...second, metadata: {}, event: '{"n":2}' },
          ],
        },
      ]);
    });

    test('a call of a binding, with its trace', async () => {
      const body = { operation: 'do', data: { n: 1 }, metadata: mine };
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const [seen] = (await http('POST', 'bindings/out', body, { traceparent })) as [
        { metadata: Record<string, string> },
      ];
      const { traceparent: handed, ...rest } = seen.metadata;
      assert.deepEqual(
        [{ ...seen, metadata: rest }],
        [{ call: 'invoke', operation: 'do', data: '{"n":1}', metadata: mine }],
      );
      assert.match(handed ?? '', /^00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-01$/);
    });

    test('a secret, and all of them', async () => {
      const one = [{ call: 'secret', key: 'k', metadata: { version_id: '3' } }];
      assert.deepEqual(await http('GET', 'secrets/vault/k?metadata.version_id=3'), one);
      await grpc().getSecret({ storeName: 'vault', key: 'k', metadata: { version_id: '3' } });
      assert.deepEqual(asked, one);
      assert.deepEqual(await http('GET', 'secrets/vault/bulk?metadata.mine=7'), [
        { call: 'secrets', metadata: mine },
      ]);
    });
  });
}

const getOf = ({ consistency, key, metadata }: GetRequest) => ({ key, metadata, consistency });

const deleteOf = ({ etag, key, metadata, options }: DeleteRequest) => ({
  ...{ key, metadata, etag: etag?.value },
  ...{ concurrency: options?.concurrency ?? 0, consistency: options?.consistency ?? 0 },
});

const setOf = ({ contentType, value, ...rest }: SetRequest) => ({
  ...deleteOf(rest as unknown as DeleteRequest),
  ...{ value: Buffer.from(value).toString(), contentType },
});
