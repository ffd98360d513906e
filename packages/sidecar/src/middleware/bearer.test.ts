import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { until } from '@holdfast/test-servers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { ComponentSettings } from '../components/component-settings.ts';
import { bearer } from './bearer.ts';

test('a new key of the issuer is fetched when a token shows it, and no more often than every 30 s', async (t) => {
  const issuer = await startIssuer(t);
  const { ask, clock } = await guarded(issuer);
  await issuer.add('two');
  const asked = [await ask('one'), await ask('two')];
  await elapse(clock, 30_000);
  asked.push(await ask('two'), await ask('three'), await ask('three'));
  assert.deepEqual([asked, issuer.fetches()], [['pass', '401', 'pass', '401', '401'], 2]);
});

test('while the issuer is away the keys in hand stay good, and the log says that it is', async (t) => {
  const issuer = await startIssuer(t);
  const { ask, clock, log } = await guarded(issuer);
  await issuer.stop();
  await elapse(clock, 600_000);
  const first = await ask('one');
  await until('it is logged', () => log.length > 0);
  const second = await ask('one');
  assert.deepEqual([first, second], ['pass', 'pass']);
  assert.match(log.join(), /The keys at http:.*\/keys cannot be fetched, those in hand stay: GET /);
});

test('an OpenID configuration of somebody else, or without keys, is named', async (t) => {
  const issuer = await startIssuer(t);
  const messages: string[] = [];
  for (const document of [
    { issuer: 'https://other.example', jwks_uri: 'x' },
    { issuer: issuer.url },
    { issuer: issuer.url, jwks_uri: 'keys' },
  ]) {
    issuer.configuration = document;
    messages.push(
      await guarded(issuer).then(
        () => 'open',
        (error: Error) => error.message.replaceAll(issuer.url, 'URL'),
      ),
    );
  }
  assert.deepEqual(messages, [
    'the OpenID configuration at URL/.well-known/openid-configuration is of "https://other.example", not of metadata issuer "URL"; write it as there',
    'the OpenID configuration at URL/.well-known/openid-configuration has no jwks_uri; name the keys by jwksURL',
    'metadata jwks_uri must be an http or https URL, not "keys"',
  ]);
});

async function guarded(issuer: Awaited<ReturnType<typeof startIssuer>>) {
  const clock = new VirtualClock();
  clock.jumpWall(Date.now());
  const log: string[] = [];
  const logger = createLogger({ write: (line) => void log.push(line) });
  const settings = new ComponentSettings('guard', [
    ['issuer', issuer.url],
    ['audience', 'shop'],
  ]);
  const { judge } = await bearer(settings, { clock, log: logger });
  return {
    clock,
    log,
    async ask(kid: string): Promise<string> {
      const headers = ['authorization', `Bearer ${await issuer.token(kid, clock.wallMs())}`];
      const verdict = await judge?.({ method: 'GET', path: '/', headers, from: undefined });
      return verdict?.kind === 'pass' ? 'pass' : String(verdict?.status);
    },
  };
}

async function startIssuer(t: TestContext) {
  type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
  const pairs = new Map<string, Pair>();
  const served: object[] = [];
  const pairOf = async (kid: string): Promise<Pair> => {
    const pair = pairs.get(kid) ?? (await generateKeyPair('ES256'));
    pairs.set(kid, pair);
    return pair;
  };
  const add = async (kid: string): Promise<void> => {
    served.push({ ...(await exportJWK((await pairOf(kid)).publicKey)), kid, alg: 'ES256' });
  };
  let fetches = 0;
  const server = http.createServer((req, res) => {
    if (req.url === '/keys') fetches += 1;
    res.end(JSON.stringify(req.url === '/keys' ? { keys: served } : issuer.configuration));
  });
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(stop);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await add('one');
  const issuer = {
    url,
    configuration: { issuer: url, jwks_uri: `${url}/keys` } as object,
    add,
    stop,
    fetches: () => fetches,
    async token(kid: string, wallMs: number): Promise<string> {
      const { privateKey } = await pairOf(kid);
      return new SignJWT({ iss: url, aud: 'shop', exp: Math.floor(wallMs / 1000) + 60 })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(privateKey);
    },
  };
  return issuer;
}

const elapse = (clock: VirtualClock, ms: number): Promise<void> =>
  clock.run(() => clock.sleep(ms, new AbortController().signal));
