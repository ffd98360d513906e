import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startAlone } from '../testing/start-alone.ts';
import { temporaryFolder } from '../testing/start-mesh.ts';

describe('a changed Configuration', () => {
  test('logs calls of the API, or no longer, without a restart', async (t) => {
    const { ask, lines, write } = await start(t, 'logging: { apiLogging: { enabled: false } }');
    await ask();
    const before = lines.filter((line) => line.includes('HTTP API Called')).length;
    await write('logging: { apiLogging: { enabled: true } }');
    await until('calls are logged', async () => {
      await ask();
      return lines.some((line) => line.includes('HTTP API Called'));
    });
    assert.equal(before, 0);
  });

  test('closes an API and opens it again', async (t) => {
    const { reload, status, write } = await start(t, 'logging: {}');
    const seen = [await status()];
    await write('api: { denied: [{ name: metadata, version: v1, protocol: http }] }');
    await reload();
    seen.push(await status());
    await write('logging: {}');
    await reload();
    seen.push(await status());
    assert.deepEqual(seen, [200, 404, 200]);
  });

  test('puts middleware in the way, and takes it out', async (t) => {
    const { reload, status, write } = await start(t, 'logging: {}');
    const handlers = 'handlers: [{ name: closed, type: middleware.http.routerchecker }]';
    await write(`httpPipeline: { ${handlers} }`);
    await reload();
    const guarded = await status();
    await write('logging: {}');
    await reload();
    assert.deepEqual([guarded, await status()], [400, 200]);
  });

  test('says which of its keys wait for the next start', async (t) => {
    const { lines, reload, write } = await start(t, 'logging: {}');
    await write('nameResolution: { component: kubernetes }');
    await reload();
    const said = /spec\.nameResolution of the Configuration: in force after the next start/;
    assert.match(lines.join(''), said);
  });

  test('turns tracing on, sends spans elsewhere, and turns it off', async (t) => {
    const [first, second] = [await collector(t), await collector(t)];
    const { ask, lines, reload, write } = await start(t, 'tracing: { samplingRate: "0" }');
    const now = async (tracing: string) => {
      await write(`tracing: { ${tracing} }`);
      await reload();
      await ask();
    };
    const to = ({ url }: { url: string }) => `zipkin: { endpointAddress: "${url}" }`;
    await ask();
    await now(`samplingRate: "1", ${to(first)}`);
    await now(`samplingRate: "1", ${to(second)}`);
    await now('samplingRate: "0"');
    await until('what was kept is sent', () => second.spans.length > 0);
    const names = [first, second].map(({ spans }) => spans);
    const span = '/v1.0/metadata';
    assert.deepEqual(names, [[span], [span]]);
    assert.doesNotMatch(lines.join(''), /next start/);
    const samplers = lines.join('').match(/sampler initialized: ParentBased\{root:[^,]*/g);
    const roots = samplers?.map((one) => one.split('root:')[1]);
    assert.deepEqual(roots, ['TraceIDRatioBased{0}', 'AlwaysOnSampler', 'TraceIDRatioBased{0}']);
  });

  test('that is broken changes nothing, and is told with file and line', async (t) => {
    const { ask, file, lines, reload, write } = await start(
      t,
      'logging: { apiLogging: { enabled: true } }',
    );
    await write('logging: { apiLogging: ');
    await reload();
    await ask();
    await until('calls are logged', () => lines.some((line) => line.includes('HTTP API Called')));
    const told = lines.find((line) => line.includes('(--config) cannot be read'));
    assert.match(told ?? '', new RegExp(`The configuration ${file}:\\d+:\\d+ `));
  });
});

/** Takes spans in Zipkin's form, and keeps their names. */
async function collector(t: TestContext) {
  const spans: string[] = [];
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => {
      for (const { name } of JSON.parse(body) as { name: string }[]) spans.push(name);
      res.writeHead(202).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { spans, url: `http://127.0.0.1:${port}/api/v2/spans` };
}

async function start(t: TestContext, spec: string) {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'config.yaml');
  const write = (given: string) =>
    writeFile(file, `kind: Configuration\nmetadata: { name: c }\nspec:\n  ${given}\n`);
  await write(spec);
  const resources = path.join(folder, 'resources');
  await mkdir(resources);
  await writeFile(
    path.join(resources, 'closed.yaml'),
    'kind: Component\nmetadata: { name: closed }\nspec: { type: middleware.http.routerchecker, version: v1, metadata: [{ name: rule, value: "^/nothing$" }] }',
  );
  const { lines, sidecar, url } = await startAlone(t, {
    configPaths: [file],
    resourcesPaths: [resources],
  });
  return {
    file,
    lines,
    write,
    reload: () => sidecar.reload(),
    status: async () => (await fetch(`${url}/metadata`)).status,
    ask: () => fetch(`${url}/metadata`),
  };
}
