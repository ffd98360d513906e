import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { pythonWithDapr } from './python-sdk.ts';
import { sdkSidecars } from './sdk-sidecars.ts';

const run = promisify(execFile);
const found = await pythonWithDapr();

if ('why' in found) {
  if (process.env.CI === 'true') throw new Error(found.why);
  test("Dapr's Python SDK", { skip: found.why }, () => {});
} else suite(found.python);

function suite(python: string): void {
  describe("Dapr's Python SDK, unchanged", async () => {
    const sidecars = await sdkSidecars();
    after(() => sidecars.stop());
    const app = http.createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ method: req.method, path: req.url, body }));
      });
    });
    app.listen(0, '127.0.0.1');
    await new Promise((resolve) => app.once('listening', resolve));
    after(() => {
      app.close();
      app.closeAllConnections();
    });
    await sidecars.start({
      appId: 'order-service',
      appPort: (app.address() as AddressInfo).port,
    });
    const caller = await sidecars.start({ appId: 'caller' });

    const script = async (lines: readonly string[]): Promise<unknown> => {
      const env = {
        ...process.env,
        DAPR_HTTP_PORT: String(caller.ports.http),
        DAPR_GRPC_PORT: String(caller.ports.grpc),
      };
      const { stdout } = await run(python, ['-W', 'ignore', '-c', lines.join('\n')], { env });
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    };
    const HEAD = ['import json', 'from dapr.clients import DaprClient'];

    test('invokes another application', async () => {
      const answer = await script([
        ...HEAD,
        "response = DaprClient().invoke_method('order-service', 'process', data='{}')",
        'print(response.text())',
      ]);
      // The SDK's verb, where nobody names one.
      assert.deepEqual(answer, { method: 'GET', path: '/process', body: '{}' });
    });

    test('keeps and reads state, in transactions too', async () => {
      const answer = await script([
        ...HEAD,
        'from dapr.clients.grpc._request import TransactionalStateOperation, TransactionOperationType',
        'with DaprClient() as d:',
        "  d.save_state('statestore', 'k', 'value')",
        "  first = d.get_state('statestore', 'k')",
        "  d.save_state('statestore', 'k', 'other', etag=first.etag)",
        '  d.execute_state_transaction("statestore", [TransactionalStateOperation("t", "1"), TransactionalStateOperation("k", "", operation_type=TransactionOperationType.delete)])',
        "  states = {item.key: item.text() for item in d.get_bulk_state('statestore', ['k', 't']).items}",
        '  print(json.dumps([first.text(), states]))',
      ]);
      assert.deepEqual(answer, ['value', { k: '', t: '1' }]);
    });

    test('is told of an etag that is too old, as an error of gRPC', async () => {
      const answer = await script([
        ...HEAD,
        'import grpc',
        'with DaprClient() as d:',
        "  d.save_state('statestore', 'e', 'value')",
        '  try:',
        "    d.save_state('statestore', 'e', 'value', etag='no such etag')",
        '  except grpc.RpcError as error:',
        '    print(json.dumps(error.code().name))',
      ]);
      assert.equal(answer, 'ABORTED');
    });

    test('publishes, and gets in a stream what was published', async () => {
      const answer = await script([
        ...HEAD,
        'with DaprClient() as d:',
        "  subscription = d.subscribe(pubsub_name='pubsub', topic='orders')",
        "  d.publish_event('pubsub', 'orders', json.dumps({'order': 7}), data_content_type='application/json')",
        '  message = subscription.next_message()',
        '  subscription.respond_success(message)',
        '  subscription.close()',
        '  print(json.dumps([message.topic(), message.data()]))',
      ]);
      assert.deepEqual(answer, ['orders', { order: 7 }]);
    });

    test('reads secrets and metadata', async () => {
      const answer = await script([
        ...HEAD,
        'with DaprClient() as d:',
        "  secret = dict(d.get_secret('secretstore', 'password').secret)",
        "  d.set_metadata('mine', 'yes')",
        '  metadata = d.get_metadata()',
        '  print(json.dumps([secret, metadata.application_id, metadata.extended_metadata["mine"]]))',
      ]);
      assert.deepEqual(answer, [{ password: 'hush' }, 'caller', 'yes']);
    });
  });
}
