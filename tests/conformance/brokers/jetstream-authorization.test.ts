import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { freePort, natsServer, selfSigned, Unavailable } from '@holdfast/test-servers';
import { setupFailure } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { natsIssuer } from './nats-issuer.ts';

interface Row {
  readonly title: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Why it does not start; absent: it does. */
  readonly wanted?: RegExp;
  /** Where daprd has other words. */
  readonly daprd?: RegExp;
}

const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-nats-'));
after(() => rm(folder, { recursive: true, force: true }));
const [issuer, stranger, own] = [natsIssuer(), natsIssuer(), await selfSigned()];
const files = {
  jwt: path.join(folder, 'jwt.conf'),
  cert: path.join(folder, 'cert.pem'),
  key: path.join(folder, 'key.pem'),
};
await writeFile(files.jwt, issuer.configuration);
await writeFile(files.cert, own.certificate);
await writeFile(files.key, own.key);

const servers = await Promise.all([
  natsServer(['--auth', 'right']),
  natsServer(['--user', 'me', '--pass', 'right']),
  natsServer(['-c', files.jwt]),
  natsServer([
    ...['--tlsverify', '--tlscert', files.cert, '--tlskey', files.key],
    ...['--tlscacert', files.cert],
  ]),
]);
const missing = servers.find((one) => one instanceof Unavailable);
if (missing instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(missing.why);
  test('pubsub.jetstream, who is let in', { skip: missing.why }, () => {});
} else {
  for (const one of servers) if (!(one instanceof Unavailable)) after(() => one.process.remove());
  const ports = servers.map((one) => (one instanceof Unavailable ? 0 : one.port));
  const all = rows(ports, await freePort());
  await bothMakes((make, executable) => conformance(make, executable, all), 'pubsub/jetstream');
}

function conformance(make: Make, executable: string | undefined, all: readonly Row[]): void {
  describe(`${make}, pubsub.jetstream, who is let in`, () => {
    for (const { daprd, metadata, title, wanted } of all) {
      test(title, async () => {
        const resources = { 'nats.yaml': componentYaml('it', 'pubsub.jetstream', metadata) };
        const failure = await setupFailure(executable, { resources });
        const words = make === 'daprd' ? (daprd ?? wanted) : wanted;
        if (words === undefined) assert.equal(failure, undefined);
        else assert.match(failure ?? 'it started', words);
      });
    }
  });
}

function rows([token, user, jwt, tls]: readonly number[], down: number): readonly Row[] {
  const at = (port: number | undefined, who = '') => ({
    natsURL: `nats://${who}127.0.0.1:${port}`,
  });
  const known = issuer.user();
  const violation = /Authorization Violation/i;
  return [
    { title: 'a token', metadata: { ...at(token), token: 'right' } },
    { title: 'a token in the URL', metadata: at(token, 'right@') },
    { title: 'a wrong token', metadata: { ...at(token), token: 'wrong' }, wanted: violation },
    { title: 'no token', metadata: at(token), wanted: violation },
    { title: 'a user', metadata: at(user, 'me:right@') },
    { title: 'a wrong password', metadata: at(user, 'me:wrong@'), wanted: violation },
    { title: 'no user', metadata: at(user), wanted: violation },
    { title: 'a user of an account', metadata: { ...at(jwt), ...known } },
    {
      title: 'a user of an account with the seed of another',
      metadata: { ...at(jwt), jwt: known.jwt, seedKey: issuer.user().seedKey },
      wanted: violation,
    },
    {
      title: 'a user whose time is over',
      metadata: { ...at(jwt), ...issuer.user(-60) },
      wanted: violation,
    },
    {
      title: 'a user of a stranger',
      metadata: { ...at(jwt), ...stranger.user() },
      wanted: violation,
    },
    { title: 'nobody', metadata: at(jwt), wanted: violation },
    { title: 'a jwt alone', metadata: { ...at(jwt), jwt: known.jwt }, wanted: /seed ?key/i },
    { title: 'a seed alone', metadata: { ...at(jwt), seedKey: known.seedKey }, wanted: /jwt/ },
    {
      title: 'a seed that is none',
      metadata: { ...at(jwt), jwt: known.jwt, seedKey: 'SU' },
      wanted: /seedKey must be a seed of NATS/,
      daprd: /nkeys: |illegal base32|invalid/,
    },
    { title: 'a server that nobody vouches for', metadata: at(tls), wanted: /certificate/ },
    {
      title: 'a server that nobody vouches for, and a certificate of ours',
      metadata: { ...at(tls), tls_client_cert: files.cert, tls_client_key: files.key },
      wanted: /certificate/,
    },
    {
      title: 'a certificate alone',
      metadata: { ...at(tls), tls_client_cert: files.cert },
      wanted: /tls_?.?client_?.?key/i,
    },
    {
      title: 'nobody there',
      metadata: at(down),
      wanted: /refused/i,
      daprd: /no servers available/,
    },
  ];
}
