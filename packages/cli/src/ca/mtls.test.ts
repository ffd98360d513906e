import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { type Sidecar, type SidecarOptions, startSidecar } from '@holdfast/sidecar';
import { ca } from '../commands/ca.ts';
import { certificatesOf } from './trust-folder.ts';

for (const how of ['sqlite', 'static'] as const) {
  test(`two sidecars call each other by mTLS, found by ${how}`, async (t) => {
    const world = await startWorld(t);
    await world.issue('caller', 'callee');
    const callee = await world.start('callee', { names: how });
    const caller = await world.start('caller', { names: how, peer: callee });

    assert.deepEqual(await world.invoke(caller, 'callee'), [200, 'callee']);
    const page = await (await fetch(`http://127.0.0.1:${caller.ports.metrics}/metrics`)).text();
    const ends = Number(/^holdfast_mtls_certificate_expiry_seconds (\d+)/m.exec(page)?.[1]);
    const days = (ends * 1000 - Date.now()) / 86_400_000;
    assert.ok(days > 29 && days <= 30, `the certificate ends in ${days} days`);
  });
}

test('a caller sends nothing to a sidecar that is another app, and says which it expected', async (t) => {
  const world = await startWorld(t);
  await world.issue('caller', 'callee', 'stranger');
  const stranger = await world.start('stranger');
  const caller = await world.start('caller', { peer: stranger });

  const [status, body] = await world.invoke(caller, 'callee');
  assert.deepEqual([status, world.called()], [500, 0]);
  assert.match(
    body,
    sentence(
      'must be spiffe://public/ns/default/callee; its certificate is of spiffe://public/ns/default/stranger',
    ),
  );
});

test('who has no certificate, another authority’s or none of TLS is told what was expected, and counted', async (t) => {
  const world = await startWorld(t);
  await world.issue('callee', 'caller');
  const callee = await world.start('callee');

  assert.match(
    await answerTo(callee),
    /a certificate of spiffe:\/\/public\/ns\/NAMESPACE\/APP is expected, signed by an anchor of spiffe:\/\/public\/ns\/default\/callee: none was shown/,
  );

  const foreign = await startWorld(t);
  await foreign.issue('caller');
  const stranger = await foreign.start('caller', { peer: callee });
  const [, distrusted] = await world.invoke(stranger, 'callee');
  assert.match(
    distrusted,
    /must be spiffe:\/\/public\/ns\/default\/callee; its certificate is not trusted/,
  );

  const plain = await world.start('caller', { peer: callee, plain: true });
  const [, refused] = await world.invoke(plain, 'callee');
  assert.match(
    refused,
    /speaks TLS, this side does not: is one of them started without --enable-mtls|EOF/,
  );

  const open = await world.start('callee', { plain: true });
  const safe = await world.start('caller', { peer: open });
  const [, unsafe] = await world.invoke(safe, 'callee');
  assert.match(unsafe, /speaks no TLS 1\.3 \(.*\): is it started with --enable-mtls\?/);

  const page = await (await fetch(`http://127.0.0.1:${callee.ports.metrics}/metrics`)).text();
  const count = Number(/^holdfast_mtls_refused_connections_total (\d+)/m.exec(page)?.[1]);
  assert.ok(count >= 2, `${count} refused`);
  assert.equal(world.called(), 0);
});

test('new certificates and a new root are taken over while calls go on, and no call is lost', async (t) => {
  const world = await startWorld(t);
  await world.issue('caller', 'callee');
  const callee = await world.start('callee');
  const caller = await world.start('caller', { peer: callee });
  const answers: number[] = [];
  let over = false;
  const calling = (async () => {
    while (!over) answers.push((await world.invoke(caller, 'callee'))[0]);
  })();
  const reload = () => Promise.all([caller.reload(), callee.reload()]);

  await world.ca('rotate');
  await reload();
  await world.ca('renew', [], { all: true });
  await reload();
  await world.ca('prune');
  await reload();
  const before = answers.length;
  while (answers.length < before + 5) await new Promise((resolve) => setImmediate(resolve));
  over = true;
  await calling;

  const page = await (await fetch(`http://127.0.0.1:${callee.ports.metrics}/metrics`)).text();
  assert.deepEqual(
    [
      new Set(answers),
      /^dapr_runtime_mtls_workload_cert_rotated_total\{app_id="\w+"\} (\d+)/m.exec(page)?.[1],
    ],
    [new Set([200]), '3'],
  );
});

test('files that make no sense change nothing', async (t) => {
  const world = await startWorld(t);
  await world.issue('caller', 'callee');
  const callee = await world.start('callee');
  const caller = await world.start('caller', { peer: callee });
  await writeFile(path.join(world.certs, 'apps/default/callee/tls.key'), 'nonsense');
  await callee.reload();

  assert.deepEqual(await world.invoke(caller, 'callee'), [200, 'callee']);
});

test('a chain without the sidecar’s own certificate, or with it in the wrong place, is told as that', async (t) => {
  const world = await startWorld(t);
  await world.issue('callee');
  const folder = path.join(world.certs, 'apps/default/callee');
  const chain = await readFile(path.join(folder, 'tls.crt'), 'utf8');
  const [own, issuer] = certificatesOf(chain) as [string, string];
  const told: string[] = [];
  for (const text of [issuer, issuer + own]) {
    await writeFile(path.join(folder, 'tls.crt'), text);
    const options = (await world.options('callee')) as SidecarOptions;
    told.push(
      await startSidecar(options).then(
        () => 'started',
        (error: Error) => error.message,
      ),
    );
  }
  assert.match(
    told[0]!,
    /^The certificate chain \(--cert-chain-file\) has only certificates of authorities \(the first is of .*\) and lacks this sidecar's own, of spiffe:\/\/public\/ns\/default\/callee, which must come first; `holdfast ca issue callee --namespace default` makes one, with its signer behind it\.$/,
  );
  assert.equal(
    told[1],
    'The certificate of this sidecar is number 2 of the certificate chain (--cert-chain-file) and must be the first, with those of its signers behind it.',
  );
});

test('files that are not there or hold something else are told with the flag that names them', async (t) => {
  const world = await startWorld(t);
  await world.issue('callee');
  const { mtls, ...other } = (await world.options('callee')) as SidecarOptions;
  const started = (change: Partial<NonNullable<SidecarOptions['mtls']>>) =>
    startSidecar({ ...other, mtls: { ...mtls, ...change } });
  await assert.rejects(started({ certChainFile: '/nowhere/tls.crt' }), {
    message:
      /^The certificate chain \(--cert-chain-file or DAPR_CERT_CHAIN\) cannot be read from \/nowhere\/tls\.crt: ENOENT/,
  });
  await assert.rejects(started({ trustAnchorsFile: mtls!.certKeyFile! }), {
    message:
      'The trust anchors (--trust-anchors-file or DAPR_TRUST_ANCHORS) must be 1 to 100 certificates in PEM, not 0.',
  });
  await assert.rejects(started({ certKeyFile: mtls!.certChainFile! }), {
    message: /^The private key \(--cert-key-file or DAPR_CERT_KEY\) cannot be read: /,
  });
});

test('a sidecar does not start with another app’s certificate, nor off loopback without one', async (t) => {
  const world = await startWorld(t);
  await world.issue('caller', 'callee');
  const other = (await world.options('callee')) as SidecarOptions;
  const messages = [
    { ...other, appId: 'caller' },
    { appId: 'caller', httpPort: 0, internalListenAddress: '0.0.0.0' },
  ].map((options) =>
    startSidecar(options).then(
      () => 'started',
      (error: Error) => error.message,
    ),
  );
  assert.deepEqual(await Promise.all(messages), [
    'The certificate is of spiffe://public/ns/default/callee, but this sidecar is spiffe://public/ns/default/caller; `holdfast ca issue caller --namespace default` makes one.',
    'sidecar.internalListenAddress 0.0.0.0 (--dapr-internal-grpc-listen-address) is off loopback, where anybody could call the application: give certificates (--enable-mtls), or say --allow-plain-internal.',
  ]);
});

interface Start {
  readonly names?: 'sqlite' | 'static';
  /** Whose address the name `callee` has. */
  readonly peer?: Sidecar;
  readonly plain?: boolean;
}

/** An authority, and an application behind every sidecar that answers with the id that was meant. */
async function startWorld(t: TestContext) {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'holdfast-mtls-'));
  const certs = path.join(cwd, 'certs');
  const context = { output: { out() {}, err() {} }, cwd, env: {} };
  const act = (
    action: Parameters<typeof ca>[0],
    apps: readonly string[] = [],
    more: Readonly<Record<string, unknown>> = {},
  ) => ca(action, apps, { dir: 'certs', ...more }, context);
  await act('init');

  let calls = 0;
  const app = http.createServer((_request, response) => {
    calls += 1;
    response.end('callee');
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const sidecars: Sidecar[] = [];
  t.after(async () => {
    await Promise.all(sidecars.map((sidecar) => sidecar.stop({ force: true })));
    app.close();
    app.closeAllConnections();
    await rm(cwd, { recursive: true, force: true });
  });

  let files = 0;
  const options = async (appId: string, start: Start = {}): Promise<SidecarOptions> => {
    const own = path.join(certs, 'apps', 'default', appId);
    files += 1;
    const config = path.join(cwd, `config-${files}.yaml`);
    const configuration =
      start.names === 'sqlite'
        ? `{ connectionString: ${JSON.stringify(path.join(cwd, 'names.db'))} }`
        : `{ addresses: { callee: "127.0.0.1:${start.peer?.ports.internal ?? 1}" } }`;
    await writeFile(
      config,
      `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\nspec:\n  nameResolution: { component: ${start.names ?? 'static'}, configuration: ${configuration} }\n`,
    );
    return {
      appId,
      appPort: (app.address() as AddressInfo).port,
      httpPort: 0,
      metricsPort: 0,
      // What reaches the application is the test's own.
      disableInitEndpoints: ['config'] as const,
      configPaths: [config],
      ...(start.plain === true
        ? {}
        : {
            mtls: {
              trustAnchorsFile: path.join(certs, 'ca.crt'),
              certChainFile: path.join(own, 'tls.crt'),
              certKeyFile: path.join(own, 'tls.key'),
            },
          }),
    };
  };
  return {
    certs,
    ca: act,
    options,
    called: () => calls,
    issue: (...apps: string[]) => act('issue', apps),
    async start(appId: string, start: Start = {}): Promise<Sidecar> {
      const sidecar = await startSidecar(await options(appId, start));
      sidecars.push(sidecar);
      return sidecar;
    },
    async invoke(sidecar: Sidecar, appId: string): Promise<[number, string]> {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/${appId}/method/x`;
      const answer = await fetch(url);
      return [answer.status, await answer.text()];
    },
  };
}

/** What a client without a certificate is told. */
function answerTo(sidecar: Sidecar): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = tls.connect({
      port: sidecar.ports.internal,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
}

function sentence(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
