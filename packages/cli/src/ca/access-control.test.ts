import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Sidecar, startSidecar } from '@holdfast/sidecar';
import { ca } from '../commands/ca.ts';

const SHOP = `accessControl:
    defaultAction: deny
    policies:
      - { appId: till, trustDomain: public, namespace: default, defaultAction: deny, operations: [
          { name: /orders/*, httpVerb: [GET], action: allow }, { name: /open/**, httpVerb: ["*"], action: allow } ] }
      - { appId: admin, trustDomain: public, namespace: default, defaultAction: allow }`;

test('who may call what is decided by the certificate of the caller', async (t) => {
  const world = await startWorld(t, SHOP);
  const [till, admin, stranger] = await Promise.all(
    ['till', 'admin', 'stranger'].map(world.caller),
  );

  assert.deepEqual(
    [
      await world.ask(till!, 'GET', 'orders/7'),
      await world.ask(till!, 'POST', 'orders/7'),
      await world.ask(till!, 'GET', 'ORDERS/7?all=1'),
      await world.ask(till!, 'GET', 'open%2F..%2Fsecret'),
      await world.ask(till!, 'GET', 'open/a%2Fb'),
      await world.ask(till!, 'GET', 'orders%2F7'),
      await world.ask(admin!, 'DELETE', 'anything/at/all'),
      await world.ask(stranger!, 'GET', 'orders/7'),
    ],
    [
      '200 GET /orders/7',
      denied('till', 'orders/7', 'POST'),
      '200 GET /ORDERS/7?all=1',
      denied('till', 'secret', 'GET'),
      '200 GET /open/a%2Fb',
      denied('till', 'orders/7', 'GET'),
      '200 DELETE /anything/at/all',
      denied('stranger', 'orders/7', 'GET'),
    ],
  );
  const page = await (await fetch(`http://127.0.0.1:${world.shop.ports.metrics}/metrics`)).text();
  assert.deepEqual(page.match(/^dapr_runtime_acl_.*$/gm)?.sort(), [
    'dapr_runtime_acl_app_policy_action_allowed_total{app_id="admin",namespace="default",trustDomain="public"} 1',
    'dapr_runtime_acl_app_policy_action_allowed_total{app_id="till",namespace="default",trustDomain="public"} 3',
    'dapr_runtime_acl_app_policy_action_blocked_total{app_id="till",namespace="default",trustDomain="public"} 3',
    'dapr_runtime_acl_global_policy_action_blocked_total{app_id="stranger",namespace="default",trustDomain="public"} 1',
  ]);
});

test('a changed list is in force after a reload; one that cannot be is not, and the old one stays', async (t) => {
  const world = await startWorld(t, SHOP);
  const till = await world.caller('till');
  const answers = [await world.ask(till, 'GET', 'orders/7')];

  await world.write('accessControl: { defaultAction: deny }');
  await world.shop.reload();
  answers.push(await world.ask(till, 'GET', 'orders/7'));

  await world.write('accessControl: { defaultAction: allow, policies: [{ appId: till }] }');
  await world.shop.reload();
  answers.push(await world.ask(till, 'GET', 'orders/7'));

  const no = denied('till', 'orders/7', 'GET');
  assert.deepEqual(answers, ['200 GET /orders/7', no, no]);
  assert.match(
    world.log.join('\n'),
    /shop\.yaml:4:53: spec\.accessControl\.policies\[0\]\.trustDomain is missing; write/,
  );
});

function denied(appId: string, operation: string, verb: string): string {
  const message = `failed to invoke, id: shop, err: rpc error: code = PermissionDenied desc = access control policy has denied access to id: spiffe://public/ns/default/${appId} operation: ${operation} verb: ${verb}`;
  return `403 ${JSON.stringify({ errorCode: 'ERR_DIRECT_INVOKE', message })}`;
}

/** The sidecar of `shop` with a list, and an authority that makes callers. */
async function startWorld(t: TestContext, spec: string) {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'holdfast-access-'));
  const sidecars: Sidecar[] = [];
  const log: string[] = [];
  const app = http.createServer(({ method, url }, response) => response.end(`${method} ${url}`));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await Promise.all(sidecars.map((sidecar) => sidecar.stop({ force: true })));
    app.close();
    app.closeAllConnections();
    await rm(cwd, { recursive: true, force: true });
  });
  const context = { output: { out() {}, err() {} }, cwd, env: {} };
  const certs = { dir: 'certs' };
  await ca('init', [], certs, context);
  await ca('issue', ['shop', 'till', 'admin', 'stranger'], certs, context);

  const start = async (appId: string, file: string): Promise<Sidecar> => {
    const own = path.join(cwd, 'certs', 'apps', 'default', appId);
    const options = {
      appId,
      appPort: (app.address() as AddressInfo).port,
      httpPort: 0,
      metricsPort: 0,
      configPaths: [file],
      mtls: {
        trustAnchorsFile: path.join(cwd, 'certs', 'ca.crt'),
        certChainFile: path.join(own, 'tls.crt'),
        certKeyFile: path.join(own, 'tls.key'),
      },
    };
    const note = (line: string): void => void log.push(line);
    const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
    const sidecar = await startSidecar(options, { log: logger });
    sidecars.push(sidecar);
    return sidecar;
  };
  const write = async (name: string, port: number, more: string): Promise<string> => {
    const file = path.join(cwd, name);
    await writeFile(
      file,
      `kind: Configuration\nspec:\n  nameResolution: { component: static, configuration: { addresses: { shop: "127.0.0.1:${port}" } } }\n  ${more}\n`,
    );
    return file;
  };
  const shop = await start('shop', await write('shop.yaml', 1, spec));
  return {
    shop,
    log,
    write: (more: string) => write('shop.yaml', 1, more),
    caller: async (appId: string) =>
      start(appId, await write(`${appId}.yaml`, shop.ports.internal, '')),
    async ask(caller: Sidecar, method: string, operation: string): Promise<string> {
      const url = `http://127.0.0.1:${caller.ports.http}/v1.0/invoke/shop/method/${operation}`;
      const answer = await fetch(url, { method });
      return `${answer.status} ${await answer.text()}`;
    },
  };
}
