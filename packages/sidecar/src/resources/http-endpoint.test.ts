import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { httpEndpoint } from './http-endpoint.ts';
import { type HttpEndpoint, openEndpoints } from './open-endpoints.ts';
import type { Resource } from './resource-files.ts';

const HTTPS = 'https://127.0.0.1:1';

test('what cannot be an endpoint is told, with its place in the document', () => {
  const pem = { value: 'x' };
  assert.deepEqual(
    [
      read({ baseUrl: 'ftp://x' }),
      read({ baseUrl: HTTPS, headers: [{ value: 'x' }] }),
      read({ baseUrl: HTTPS, headers: [{ name: 'Key' }] }),
      read({ baseUrl: HTTPS, clientTLS: { certificate: pem } }),
      read({ baseUrl: 'http://127.0.0.1:1', clientTLS: { rootCA: pem } }),
    ],
    [
      'spec.baseUrl must be an http or https URL',
      'spec.headers needs names',
      'spec.headers: Key has no value',
      'spec.clientTLS needs certificate and privateKey, or neither',
      'spec.clientTLS is for an https URL, and spec.baseUrl is none',
    ],
  );
});

test('an endpoint whose values cannot be had is left out, and the log says why', async () => {
  const { lines, opened } = await open([
    { baseUrl: HTTPS, headers: [{ name: 'a', secretKeyRef: { name: 'key' } }] },
    { baseUrl: HTTPS, headers: [{ name: 'a', envRef: 'NOT_SET' }] },
    { baseUrl: HTTPS, clientTLS: { rootCA: { value: 'no PEM' } } },
    { baseUrl: HTTPS, headers: [{ name: 'A', value: 5 }] },
  ]);
  assert.deepEqual(
    [opened, lines.map((line) => line.replace(/ \(.*\)/, ''))],
    [
      [{ name: 'outside', baseUrl: HTTPS, headers: ['a', '5'] }],
      [
        'e.yaml:3: HTTPEndpoint outside is left out: spec.headers a refers to the secret "key", and no auth.secretStore is named',
        'e.yaml:3: HTTPEndpoint outside is left out: spec.headers a: NOT_SET is not set',
        'e.yaml:3: HTTPEndpoint outside is left out: spec.clientTLS.rootCA is no PEM that can be read',
      ],
    ],
  );
});

test('a changed endpoint whose values cannot be had stays as it was', async () => {
  const before = [{ name: 'outside', baseUrl: 'http://before', headers: [] }];
  const { lines, opened } = await open(
    [{ baseUrl: HTTPS, headers: [{ name: 'a', envRef: 'NOT_SET' }] }],
    before,
  );
  assert.deepEqual(opened, before);
  assert.match(lines[0]!, /stays as it was: .* NOT_SET is not set/);
});

function read(spec: object) {
  const document = { metadata: { name: 'outside' }, spec };
  const resource = { file: 'e.yaml', line: 3, kind: 'HTTPEndpoint', document };
  return httpEndpoint(resource as unknown as Resource);
}

async function open(specs: readonly object[], before: readonly HttpEndpoint[] = []) {
  const lines: string[] = [];
  const log = createLogger({
    json: true,
    write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg),
  });
  const read_ = specs.map(read).filter((one) => typeof one !== 'string');
  const opened = await openEndpoints(read_, before, { secrets: new Map(), variables: {} }, log);
  return { lines, opened };
}
