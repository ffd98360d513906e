import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommunicationProtocolEnum, DaprClient, DaprServer, HttpMethod } from '@dapr/dapr';
import { freePort } from '@holdfast/test-servers';
import { ready } from '../conformance/mesh.ts';
import { type SdkSidecars, sdkSidecars } from './sdk-sidecars.ts';

const { GRPC, HTTP } = CommunicationProtocolEnum;

for (const [name, protocol] of [
  ['HTTP', HTTP],
  ['gRPC', GRPC],
] as const) {
  describe(`Dapr's JavaScript SDK over ${name}, unchanged`, () => {
    let sidecars: SdkSidecars;
    let client: DaprClient;
    let server: DaprServer;
    const received: unknown[] = [];

    before(async () => {
      sidecars = await sdkSidecars();
      const [appPort, http, grpc] = await Promise.all([freePort(), freePort(), freePort()]);
      const service = await sidecars.start({
        appId: 'order-service',
        appPort: appPort!,
        appProtocol: protocol === GRPC ? 'grpc' : 'http',
        httpPort: http!,
        grpcPort: grpc!,
      });
      const caller = await sidecars.start({ appId: 'caller' });
      const logger = { level: 'error' as never };
      server = new DaprServer({
        serverHost: '127.0.0.1',
        serverPort: String(appPort),
        communicationProtocol: protocol,
        clientOptions: {
          daprHost: '127.0.0.1',
          daprPort: String(protocol === GRPC ? service.ports.grpc : service.ports.http),
          communicationProtocol: protocol,
          logger,
        },
        logger,
      });
      await server.invoker.listen(
        'process',
        async ({ body }) => ({ processed: JSON.parse(body ?? 'null') }),
        { method: HttpMethod.POST },
      );
      await server.pubsub.subscribe('pubsub', 'orders', async (data: unknown) => {
        received.push(data);
      });
      await server.start();
      // The SDK itself only waits until the API answers: what it publishes before its server was found
      // and asked for its subscriptions has no subscriber yet.
      await ready(service.ports.http);
      client = new DaprClient({
        daprHost: '127.0.0.1',
        daprPort: String(protocol === GRPC ? caller.ports.grpc : caller.ports.http),
        communicationProtocol: protocol,
        logger,
      });
    });
    after(async () => {
      await client?.stop();
      await server?.stop();
      await sidecars.stop();
    });

    test('invokes a service of the SDK', async () => {
      const answer = await client.invoker.invoke('order-service', 'process', HttpMethod.POST, {
        order: 1,
      });
      assert.deepEqual(answer, { processed: { order: 1 } });
    });

    test('keeps, reads, changes and deletes state', async () => {
      await client.state.save('statestore', [
        { key: 'a', value: { n: 1 } },
        { key: 'b', value: 'text' },
      ]);
      const one = await client.state.get('statestore', 'a');
      const bulk = await client.state.getBulk('statestore', ['a', 'b']);
      await client.state.transaction('statestore', [
        { operation: 'upsert', request: { key: 'c', value: '3' } },
        { operation: 'delete', request: { key: 'a' } },
      ]);
      await client.state.delete('statestore', 'b');
      const rest = await Promise.all(
        ['a', 'b', 'c'].map((key) => client.state.get('statestore', key)),
      );
      assert.deepEqual(
        [one, bulk.map((item) => [item.key, item.data]), rest],
        [
          { n: 1 },
          [
            ['a', { n: 1 }],
            ['b', 'text'],
          ],
          // Nothing, as the SDK says it over either protocol.
          ['', '', protocol === GRPC ? 3 : '3'],
        ],
      );
    });

    test('publishes what the SDK’s subscriber gets', async () => {
      await server.client.pubsub.publish('pubsub', 'orders', { order: 7 });
      for (let tries = 0; tries < 100 && received.length === 0; tries += 1) await sleep(50);
      assert.deepEqual(received, [{ order: 7 }]);
    });

    test('reads secrets and what the sidecar says of itself', async () => {
      const secret = await client.secret.get('secretstore', 'password');
      await client.metadata.set('mine', 'yes');
      const { id } = await client.metadata.get();
      assert.deepEqual([secret, id], [{ password: 'hush' }, 'caller']);
    });
  });
}
