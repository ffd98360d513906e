import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SignJWT } from 'jose';
import { loadSigningKey } from '../auth-service/signing-key.ts';
import { sidecarClient } from '../service/sidecar-client.ts';
import { AUDIENCE, ISSUER } from '../service/tokens.ts';
import { NOT_REACHED, standInSidecar } from '../testing/stand-in-sidecar.ts';
import { authenticator, bearerToken } from './authenticate.ts';
import { publicKeys } from './public-keys.ts';

test('while auth-service answers, its word counts', async (t) => {
  const { authenticate, token } = await platform(t);

  assert.deepEqual(await authenticate(token), {
    verdict: { active: true, subject: 'admin' },
    degraded: false,
  });
});

test('when auth-service is down a good token is verified by its public key, and the answer is marked', async (t) => {
  const { authenticate, token, auth } = await platform(t);
  auth.up = false;

  assert.deepEqual(await authenticate(token), {
    verdict: { active: true, subject: 'admin' },
    degraded: true,
  });
});

test('when auth-service is down a bad token is still a bad token', async (t) => {
  const { authenticate, token, auth } = await platform(t);
  auth.up = false;
  const forged = `${token.slice(0, -6)}AAAAAA`;

  const answer = await authenticate(forged);

  assert.deepEqual(answer !== 'impossible' && [answer.verdict.active, answer.degraded], [
    false,
    true,
  ]);
});

test('the key is kept on disk: a new process can verify before it has ever reached auth-service', async (t) => {
  const { token, auth, keyFile, sidecar } = await platform(t);
  auth.up = false;
  const authenticate = authenticator(sidecar, await publicKeys(keyFile, sidecar));

  assert.deepEqual(await authenticate(token), {
    verdict: { active: true, subject: 'admin' },
    degraded: true,
  });
});

test('without a key and without auth-service nothing can be said of a token', async (t) => {
  const { token, auth, sidecar } = await platform(t);
  auth.up = false;
  const authenticate = authenticator(sidecar, await publicKeys('/nowhere/keys.json', sidecar));

  assert.equal(await authenticate(token), 'impossible');
});

test('after three failures auth-service is not asked any more for a while', async (t) => {
  const { authenticate, token, auth, asked } = await platform(t);
  auth.up = false;
  for (let call = 0; call < 10; call += 1) await authenticate(token);

  assert.equal(asked(), 3);
});

test('many requests with one token at one moment are one question', async (t) => {
  const { authenticate, token, asked } = await platform(t);
  await Promise.all(Array.from({ length: 100 }, () => authenticate(token)));

  assert.equal(asked(), 1);
});

test('a bearer token is read from its header, whatever the case, and nothing else is', () => {
  assert.deepEqual(
    ['Bearer a.b-c', 'bearer  x', 'Basic x', 'Bearer', 'Bearer a b', undefined].map(bearerToken),
    ['a.b-c', 'x', undefined, undefined, undefined, undefined],
  );
});

/** auth-service behind a sidecar, with a switch, and a good token of its. */
async function platform(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'authenticate-test-'));
  const key = await loadSigningKey(join(folder, 'signing-key.json'));
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', kid: key.id })
    .setSubject('admin')
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .sign(key.privateKey);

  const auth = { up: true };
  const server = await standInSidecar(({ what }) => {
    if (!auth.up) return NOT_REACHED;
    return what.endsWith('/verify')
      ? { status: 200, body: { active: true, subject: 'admin' } }
      : { status: 200, body: { keys: [key.publicJwk] } };
  });
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  const sidecar = sidecarClient(server.port);
  const keyFile = join(folder, 'kept', 'keys.json');
  const keys = await publicKeys(keyFile, sidecar);
  await keys.refresh();
  const asked = () => server.seen.filter(({ what }) => what.endsWith('/verify')).length;
  return { authenticate: authenticator(sidecar, keys), token, auth, asked, keyFile, sidecar };
}
