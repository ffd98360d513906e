import assert from 'node:assert/strict';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CaOptions, ca } from './ca.ts';

test('a certificate of the authority names its app, is signed by the issuer, and that by the root', async (t) => {
  const { run, read, dir } = await authority(t);
  await run('init', [], { trustDomain: 'shop.example' });
  await run('issue', ['orders'], { namespace: 'prod', days: '2' });

  const [leaf, issuer] = chain(await read('apps/prod/orders/tls.crt'));
  const [root] = chain(await read('ca.crt'));
  const modes = new Set<number>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    modes.add((await stat(path.join(entry.parentPath, entry.name))).mode & 0o777);
  }
  assert.deepEqual(
    {
      id: leaf!.subjectAltName,
      domain: [issuer!.subjectAltName, root!.subjectAltName],
      signed: [leaf!.verify(issuer!.publicKey), issuer!.verify(root!.publicKey)],
      authorities: [leaf!.ca, issuer!.ca, root!.ca],
      curve: leaf!.publicKey.asymmetricKeyDetails?.namedCurve,
      lifeHours: (leaf!.validToDate.getTime() - leaf!.validFromDate.getTime()) / 3_600_000,
      modes: [...modes],
    },
    {
      id: 'URI:spiffe://shop.example/ns/prod/orders',
      domain: ['URI:spiffe://shop.example', 'URI:spiffe://shop.example'],
      signed: [true, true],
      authorities: [false, true, true],
      curve: 'prime256v1',
      lifeHours: 48 + 5 / 60,
      modes: [0o600],
    },
  );
});

test('what is there is not overwritten, unless it is told to be', async (t) => {
  const { run, read } = await authority(t);
  await run('init');
  await run('issue', ['orders']);
  const before = await Promise.all([read('ca.crt'), read('apps/default/orders/tls.crt')]);
  const refused = [
    await run('init').catch(() => 'refused'),
    await run('issue', ['orders']).catch(() => 'refused'),
  ];
  const after = await Promise.all([read('ca.crt'), read('apps/default/orders/tls.crt')]);
  await run('issue', ['orders'], { force: true });
  const forced = await read('apps/default/orders/tls.crt');

  assert.deepEqual([refused, after], [['refused', 'refused'], before]);
  assert.notEqual(forced, before[1]);
});

for (const kind of ['ed25519', 'p256', 'p384', 'rsa'] as const) {
  test(`an authority of Dapr's, whose issuer names no trust domain, signs with its ${kind} key`, async (t) => {
    const { run, read, dir } = await authority(t);
    await writeDaprAuthority(dir, kind);
    await assert.rejects(run('issue', ['orders']), /names no trust domain.*--trust-domain/);
    await run('issue', ['orders'], { trustDomain: 'public' });
    await run('renew', ['orders']);
    const [leaf, issuer] = chain(await read('apps/default/orders/tls.crt'));
    const [root] = chain(await read('ca.crt'));
    assert.deepEqual(
      [leaf!.subjectAltName, leaf!.verify(issuer!.publicKey), issuer!.verify(root!.publicKey)],
      ['URI:spiffe://public/ns/default/orders', true, true],
    );
  });
}

test('renew takes a new key and spares what is not due', async (t) => {
  const { run, read, lines } = await authority(t);
  await run('init');
  await run('issue', ['orders', 'stock']);
  const names = ['apps/default/orders/tls.key', 'apps/default/stock/tls.key'];
  const first = await Promise.all(names.map(read));
  await run('renew');
  const second = await Promise.all(names.map(read));
  await run('renew', ['stock']);
  const third = await Promise.all(names.map(read));

  assert.deepEqual(second, first);
  assert.ok(lines.some((line) => /No certificate is due/.test(line)));
  assert.deepEqual([third[0] === first[0], third[1] === first[1]], [true, false]);
});

test('a rotation trusts both roots until no certificate needs the old one', async (t) => {
  const { run, read } = await authority(t);
  await run('init', [], { trustDomain: 'a.b' });
  await run('issue', ['orders']);
  await run('rotate');
  const both = chain(await read('ca.crt')).length;
  await assert.rejects(run('prune'), /default\/orders still has a certificate of an older issuer/);
  await run('renew', [], { all: true });
  await run('prune');
  const [leaf, issuer] = chain(await read('apps/default/orders/tls.crt'));
  const roots = chain(await read('ca.crt'));

  assert.deepEqual(
    [both, roots.length, leaf!.subjectAltName, issuer!.verify(roots[0]!.publicKey)],
    [2, 1, 'URI:spiffe://a.b/ns/default/orders', true],
  );
});

test('names that no id can hold, and lives that are none, are refused before anything is written', async (t) => {
  const { run, dir } = await authority(t);
  const messages = [
    await message(run('init', [], { trustDomain: 'Shop/evil' })),
    await message(run('init', [], { rootDays: '-1' })),
    await message(run('issue', ['orders'])),
  ];
  await run('init');
  messages.push(await message(run('issue', ['../../etc'])));

  assert.deepEqual(messages, [
    'The trust domain of a SPIFFE id must be lower-case letters, digits, ".", "_" and "-", not "Shop/evil".',
    '--root-days must be a number of days above 0 and up to 36500, not "-1".',
    `${path.join(dir, 'issuer.crt')} is not there; \`holdfast ca init\` makes an authority.`,
    'The app id of a SPIFFE id must be letters, digits, ".", "_" and "-", not "../../etc".',
  ]);
});

async function authority(t: TestContext) {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'holdfast-ca-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const context = { output: { out: line, err: line }, cwd, env: {} };
  const dir = path.join(cwd, 'certs');
  return {
    dir,
    lines,
    read: (name: string) => readFile(path.join(dir, name), 'utf8'),
    run: (
      action: Parameters<typeof ca>[0],
      apps: readonly string[] = [],
      options: Partial<CaOptions> = {},
    ) => ca(action, apps, { dir: 'certs', ...options }, context),
  };
}

function chain(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );
}

const message = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => error.message,
  );

/** As Dapr's Sentry leaves them: the root, and an issuer with its key, that names nothing by a URI. */
async function writeDaprAuthority(
  dir: string,
  kind: 'ed25519' | 'p256' | 'p384' | 'rsa',
): Promise<void> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = {
    ed25519: { name: 'Ed25519' },
    p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    p384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
    rsa: {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
  }[kind] as webcrypto.EcKeyGenParams & { hash: string };
  const make = async () =>
    (await webcrypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
  const [rootKeys, issuerKeys] = [await make(), await make()];
  const lasting = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...lasting,
    name: 'O=cluster.local',
    keys: rootKeys,
  });
  const issuer = await x509.X509CertificateGenerator.create({
    ...lasting,
    subject: 'O=spiffe://cluster.local/ns/dapr-system/dapr-sentry',
    issuer: root.subjectName,
    publicKey: issuerKeys.publicKey,
    signingKey: rootKeys.privateKey,
  });
  const key = KeyObject.from(issuerKeys.privateKey).export({ format: 'pem', type: 'pkcs8' });
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, 'ca.crt'), `${root.toString('pem')}\n`);
  await writeFile(path.join(dir, 'issuer.crt'), `${issuer.toString('pem')}\n`);
  await writeFile(path.join(dir, 'issuer.key'), key);
}
