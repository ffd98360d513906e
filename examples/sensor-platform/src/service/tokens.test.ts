import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { AUDIENCE, ISSUER, verifyToken } from './tokens.ts';

const ours = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const theirs = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const keys = createLocalJWKSet({
  keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'ours', alg: 'EdDSA' }],
});

const claims = () =>
  new SignJWT().setSubject('admin').setIssuer(ISSUER).setAudience(AUDIENCE).setIssuedAt();
const header = { alg: 'EdDSA', kid: 'ours' };

test('a token signed by our key stands for its subject until it expires', async () => {
  const token = await claims()
    .setExpirationTime('1h')
    .setProtectedHeader(header)
    .sign(ours.privateKey);

  assert.deepEqual(await verifyToken(token, keys), { active: true, subject: 'admin' });
});

const BAD: Readonly<Record<string, () => string | Promise<string>>> = {
  'has expired': () =>
    claims().setExpirationTime('-1s').setProtectedHeader(header).sign(ours.privateKey),
  'never expires': () => claims().setProtectedHeader(header).sign(ours.privateKey),
  'was signed by another key': () =>
    claims().setExpirationTime('1h').setProtectedHeader(header).sign(theirs.privateKey),
  'says alg none': () =>
    new UnsecuredJWT({ sub: 'admin' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime('1h')
      .encode(),
  'takes our public key for a shared secret': async () => {
    const { x = '' } = await exportJWK(ours.publicKey);
    const secret = Buffer.from(x, 'base64url');
    return claims().setExpirationTime('1h').setProtectedHeader({ alg: 'HS256' }).sign(secret);
  },
  'is meant for somebody else': () =>
    claims()
      .setAudience('another-platform')
      .setExpirationTime('1h')
      .setProtectedHeader(header)
      .sign(ours.privateKey),
  'is garbage': () => 'a.b.c',
  'is empty': () => '',
};

for (const [why, make] of Object.entries(BAD)) {
  test(`a token that ${why} stands for nobody`, async () => {
    const { active } = await verifyToken(await make(), keys);

    assert.equal(active, false);
  });
}
