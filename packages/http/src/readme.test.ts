import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';

test('the example in the README is what is tested here, and does what it says', async (t) => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const example = await read('./testing/readme-example.ts');
  assert.ok((await read('../README.md')).includes(`\`\`\`ts\n${example}\`\`\``), 'they differ');

  const seen: (string | string[] | undefined)[] = [];
  const auth = createServer((request, response) => {
    seen.push(request.url, request.headers.traceparent);
    response.writeHead(seen.length < 6 ? 503 : 200).end('{"name":"admin"}');
  });
  process.argv[2] = await urlOf(t, auth);
  const { server } = await import('./testing/readme-example.ts');
  const gateway = await urlOf(t, server);

  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const user = await fetch(`${gateway}/`, { headers: { traceparent } });
  const health = (await (await fetch(`${gateway}/health`)).json()) as {
    status: string;
    service: string;
    services: Record<string, string>;
  };

  const host = new URL(process.argv[2]).host;
  assert.deepEqual(
    [user.status, await user.text(), seen, health.status, health.service, health.services],
    [
      200,
      '{"name":"admin"}',
      ['/me', traceparent, '/me', traceparent, '/me', traceparent],
      'healthy',
      'gateway',
      { [host]: 'available' },
    ],
  );
});

async function urlOf(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
