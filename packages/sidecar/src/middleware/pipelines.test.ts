import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { startMesh, temporaryFolder } from '../testing/start-mesh.ts';

const MIB = 1024 * 1024;

test('before the API: a body streams through, changed as it comes, and the answer too', async (t) => {
  const { url } = await meshWith(t, 'caller', 'httpPipeline', 'both');
  await echoesInStep(t, url);
});

test('before the application: a body streams through, changed as it comes, and the answer too', async (t) => {
  const { url } = await meshWith(t, 'callee', 'appHttpPipeline', 'both');
  await echoesInStep(t, url);
});

test('large bodies arrive whole, in both directions', async (t) => {
  const { url } = await meshWith(t, 'callee', 'appHttpPipeline', 'both');
  const body = Buffer.from(randomBytes(1.5 * MIB).toString('hex'));
  const answer = await fetch(url, {
    method: 'POST',
    body: Readable.toWeb(Readable.from(slices(body))) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.deepEqual(
    [answer.status, digest(bytes)],
    [200, digest(Buffer.from(body.toString().toUpperCase()))],
  );
});

test('a body that is too long is refused as without middleware, and the next is served', async (t) => {
  const { url } = await meshWith(t, 'caller', 'httpPipeline', 'both', { maxBodyBytes: 1024 });
  const long = await fetch(url, { method: 'POST', body: 'x'.repeat(5_000) });
  const next = await fetch(url, { method: 'POST', body: 'x' });
  assert.deepEqual([long.status, next.status, await next.text()], [413, 200, 'X']);
});

test('a handler without a component is told, with its place and what to do', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'config.yaml');
  await writeFile(
    file,
    'kind: Configuration\nspec: { httpPipeline: { handlers: [{ name: guard, type: middleware.http.bearer }] } }',
  );
  const { log } = await startMesh(t, (_req, res) => res.end(), { caller: { configPaths: [file] } });
  assert.deepEqual(
    log.filter((line) => line.includes('skipped')),
    [
      `${file}:2:36: spec.httpPipeline.handlers[0]: the handler "guard" (middleware.http.bearer/v1) is skipped, so requests pass without it: there is no component "guard"; add the component, or correct name and type.`,
    ],
  );
});

/** Sends a letter, waits for its capital, sends the next: nobody holds a body back until it ends. */
async function echoesInStep(t: TestContext, url: string): Promise<void> {
  const answered = Promise.withResolvers<http.IncomingMessage>();
  const req = http.request(
    url,
    { method: 'POST', headers: { 'transfer-encoding': 'chunked' } },
    answered.resolve,
  );
  req.on('error', answered.reject);
  let seen = '';
  req.write('a');
  const res = await answered.promise;
  t.after(() => req.destroy());
  assert.equal(res.statusCode, 200);
  res.setEncoding('utf8');
  const letter = () =>
    new Promise<void>((resolve) =>
      res.once('data', (text: string) => {
        seen += text;
        resolve();
      }),
    );
  await letter();
  for (const one of ['b', 'c', 'd']) {
    const next = letter();
    req.write(one);
    await next;
  }
  req.end();
  await new Promise((resolve) => res.once('end', resolve).resume());
  assert.equal(seen, 'ABCD');
}

async function meshWith(
  t: TestContext,
  role: 'caller' | 'callee',
  pipeline: 'httpPipeline' | 'appHttpPipeline',
  direction: string,
  more: { readonly maxBodyBytes?: number } = {},
) {
  const folder = await temporaryFolder(t);
  const config = path.join(folder, 'config.yaml');
  const component = path.join(folder, 'up.yaml');
  await writeFile(
    config,
    `kind: Configuration\nspec: { ${pipeline}: { handlers: [{ name: up, type: middleware.http.uppercase }] } }`,
  );
  await writeFile(
    component,
    `kind: Component\nmetadata: { name: up }\nspec: { type: middleware.http.uppercase, version: v1, metadata: [{ name: direction, value: ${direction} }] }`,
  );
  const options = { configPaths: [config], resourcesPaths: [component], ...more };
  const { url } = await startMesh(
    t,
    (req, res) => {
      res.writeHead(200);
      res.flushHeaders();
      req.pipe(res);
    },
    { [role]: options },
  );
  return { url: `${url}/echo` };
}

function* slices(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += 50_001) yield body.subarray(at, at + 50_001);
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}
