import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { selfSigned } from '@holdfast/test-servers';
import { ComponentSettings } from '../../../components/component-settings.ts';
import { kafkaSecurity } from './kafka-security.ts';

const { certificate: CERT } = await selfSigned();
const client = { oidcTokenEndpoint: 'https://h/token', oidcClientID: 'me' };
const secret = { authType: 'oidc', ...client, oidcClientSecret: 's' };
const keyed = {
  ...{ authType: 'oidc_private_key_jwt', ...client, oidcClientAssertionCert: CERT },
  oidcClientAssertionKey: pem('rsa'),
};

test('a secret, scopes and extensions, over TLS unless disableTls says otherwise', () => {
  const { oidc, tls } = read({
    ...secret,
    oidcScopes: 'openid,kafka',
    oidcExtensions: '{"cluster":"a"}',
    caCert: CERT,
  });
  assert.deepEqual(oidc, {
    endpoint: new URL('https://h/token'),
    clientId: 'me',
    scopes: ['openid', 'kafka'],
    extensions: { cluster: 'a' },
    proof: { kind: 'secret', secret: 's' },
    caCert: CERT,
    skipVerify: false,
  });
  assert.deepEqual(tls, { ca: CERT, rejectUnauthorized: true });
  const open = read({ ...secret, disableTls: 'true' });
  assert.deepEqual(
    [open.oidc?.scopes, open.oidc?.extensions, open.tls],
    [['openid'], {}, undefined],
  );
});

test('a key signs in place of a secret', () => {
  const { proof } = read({ ...keyed, oidcKid: '7', oidcAudience: 'a', oidcResource: 'r' }).oidc!;
  assert.ok(proof.kind === 'key');
  const { audience, key, keyId, resource } = proof;
  assert.deepEqual([audience, key.type, keyId, resource], ['a', 'private', '7', 'r']);
});

const REFUSED: readonly [Readonly<Record<string, string>>, string | RegExp][] = [
  [{ authType: 'oidc' }, 'metadata oidcTokenEndpoint must be given for authType "oidc"'],
  [{ ...secret, oidcClientID: '' }, 'metadata oidcClientID must be given for authType "oidc"'],
  [
    { ...secret, oidcClientSecret: '' },
    'metadata oidcClientSecret must be given for authType "oidc"',
  ],
  [
    { ...secret, oidcTokenEndpoint: 'host/token' },
    'metadata oidcTokenEndpoint must be a URL such as https://host/token, not "host/token"',
  ],
  ...['x', '[]', '{}', '{"a":1}', '{"auth":"x"}', '{"a b":"x"}'].map(
    (text) =>
      [
        { ...secret, oidcExtensions: text },
        `metadata oidcExtensions must be a JSON object of texts, with names of letters alone, such as {"cluster":"a"}, not ${text}`,
      ] as [Readonly<Record<string, string>>, string],
  ),
  [
    { ...keyed, oidcClientAssertionCert: '' },
    'metadata oidcClientAssertionCert must be given for authType "oidc_private_key_jwt"',
  ],
  [
    { ...keyed, oidcClientAssertionKey: CERT },
    /^metadata oidcClientAssertionKey is no private key: /,
  ],
  [
    { ...keyed, oidcClientAssertionKey: pem('ec') },
    'metadata oidcClientAssertionKey must be an RSA key, not one of kind ec',
  ],
];

for (const [metadata, message] of REFUSED) {
  test(`refused: ${message}`, () => {
    assert.throws(() => read(metadata), { message });
  });
}

function read(metadata: Readonly<Record<string, string>>) {
  return kafkaSecurity(new ComponentSettings('p', Object.entries(metadata)));
}

function pem(kind: 'rsa' | 'ec'): string {
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
