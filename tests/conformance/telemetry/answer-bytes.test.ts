import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

const SECRETS = '{"z":"1","a":"<&>\\u2028","nested":{"b":"2","a":"1"}}';
/** `a` of the secrets, as Go's encoder writes it. */
const ESCAPED = '"\\u003c\\u0026\\u003e\\u2028"';

type Send = readonly [verb: string, path: string, body?: string];

/** Byte for byte; `*` stands for what differs from one run to the next. */
const ANSWERS: readonly (readonly [what: string, send: Send, body: string])[] = [
  ['a secret', ['GET', '/v1.0/secrets/file/a'], `{"a":${ESCAPED}}\n`],
  ['a secret of several values', ['GET', '/v1.0/secrets/multi/nested'], '{"a":"1","b":"2"}\n'],
  [
    'all secrets',
    ['GET', '/v1.0/secrets/file/bulk'],
    `{"a":{"a":${ESCAPED}},"nested:a":{"nested:a":"1"},"nested:b":{"nested:b":"2"},"z":{"z":"1"}}\n`,
  ],
  [
    'all secrets of several values',
    ['GET', '/v1.0/secrets/multi/bulk'],
    `{"a":{"a":${ESCAPED}},"nested":{"a":"1","b":"2"},"z":{"z":"1"}}\n`,
  ],
  [
    'a configuration',
    ['GET', '/v1.0/configuration/conf?key=z&key=a'],
    '{"a":{"value":"v\\u003c1\\u003e","version":"2"},"z":{"value":"plain"}}\n',
  ],
  ['a subscription', ['GET', '/v1.0/configuration/conf/subscribe?key=a'], '{"id":"*"}\n'],
  [
    'no subscription',
    ['GET', '/v1.0/configuration/conf/nobody/unsubscribe'],
    '{"message":"failed to unsubscribe to configuration request nobody: subscription with id nobody does not exist"}\n',
  ],
  [
    'items in bulk',
    ['POST', '/v1.0/state/redis/bulk', '{"keys":["foreign","<k>"],"parallelism":1}'],
    '[{"key":"foreign","data":{"a":"\\u003cb c\\u003e","n":[1,2]},"etag":"7"},{"key":"\\u003ck\\u003e"}]\n',
  ],
  ['no items in bulk', ['POST', '/v1.0/state/redis/bulk', '{"keys":[]}'], '[]\n'],
  [
    'an error',
    ['GET', '/v1.0/state/no%3Cx%3E/a'],
    '{"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store no\\u003cx\\u003e is not found","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","metadata":{"appID":"asked"},"reason":"DAPR_STATE_NOT_FOUND"}]}',
  ],
  [
    'an error of an older form',
    ['GET', '/v1.0/secrets/no%3Cx%3E/a'],
    '{"errorCode":"ERR_SECRET_STORE_NOT_FOUND","message":"failed finding secret store with key no\\u003cx\\u003e"}',
  ],
  [
    'a call of nobody',
    ['GET', '/v1.0/invoke/no%3Cx%3E/method/m'],
    '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: no\\u003cx\\u003e, err: *"}',
  ],
];

await suiteWith('state.redis', redisServer, async ({ port }) => {
  await bothMakes((make, executable) => conformance(make, executable, port));
});

function conformance(make: Make, executable: string | undefined, port: number): void {
  describe(`${make}, the bytes of its answers`, () => {
    let folder: string;
    let mesh: AppMesh<'asked'>;
    let redis: Redis;
    const told: string[] = [];
    before(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-bytes-'));
      await writeFile(path.join(folder, 'secrets.json'), SECRETS);
      redis = new Redis(port, '127.0.0.1');
      await redis.flushall();
      await redis.mset({ a: 'v<1>||2', z: 'plain' });
      await redis.hset('asked||foreign', 'data', '{ "a": "<b c>", "n": [1, 2] }', 'version', '7');
      const setup = { resources: { 'all.yaml': components(folder, port) } };
      mesh = await startAppMesh(executable, { asked: setup }, undefined, (seen) => {
        if (!seen.url.startsWith('/configuration/')) return undefined;
        told.push(seen.body);
        return { status: 200, body: '' };
      });
    });
    after(async () => {
      redis.disconnect();
      await mesh?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const [what, [method, path, body], expected] of ANSWERS) {
      test(what, async () => {
        const request = { method, path, ...(body === undefined ? {} : { body }) };
        const answer = await sendRaw(mesh.port('asked'), request);
        const [start, end] = expected.split('*') as [string, string?];
        assert.ok(answer.body.startsWith(start), answer.body);
        if (end === undefined) assert.equal(answer.body, expected);
        else assert.ok(answer.body.endsWith(end), answer.body);
        assert.ok(answer.complete);
      });
    }

    test('what the application is told of a configuration', async () => {
      const write = async () => {
        await redis.set('a', '<new>||3');
        return told[0];
      };
      const body = (await eventually(write, (one) => one !== undefined, 'a change is told'))!;
      const item = '{"value":"\\u003cnew\\u003e","version":"3"}';
      assert.equal(body.replace(/"id":"[^"]*"/, '"id":"*"'), `{"id":"*","items":{"a":${item}}}\n`);
    });
  });
}

function components(folder: string, port: number): string {
  const redis = { redisHost: `127.0.0.1:${port}` };
  const file = { secretsFile: path.join(folder, 'secrets.json') };
  return [
    componentYaml('redis', 'state.redis', redis),
    componentYaml('conf', 'configuration.redis', redis),
    componentYaml('file', 'secretstores.local.file', file),
    componentYaml('multi', 'secretstores.local.file', { ...file, multiValued: 'true' }),
  ].join('---');
}
