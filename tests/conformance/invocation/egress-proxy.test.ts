import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { type OwnAuthority, ownAuthority } from '../makes/own-authority.ts';
import { type StandingProxy, startProxy } from '../makes/proxy.ts';

await bothMakes(conformance, 'bindings/http');

const SIGNED_IN = `Basic ${Buffer.from('me:pa ss').toString('base64')}`;

/** Names that no machine has: whoever answers for them was asked through the proxy. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, behind a proxy that the environment names`, () => {
    let authority: OwnAuthority;
    let secure: https.Server;
    let proxy: StandingProxy;
    let sidecar: Flagged;
    before(async () => {
      authority = await ownAuthority();
      const { certificate: cert, key } = await authority.issue('secure.example');
      secure = https.createServer({ cert, key }, (req, res) => res.end(`secure ${req.url}`));
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      proxy = await startProxy({ 'secure.example:443': portOf(secure) });
      const at = `http://me:pa%20ss@127.0.0.1:${proxy.port}`;
      sidecar = await startFlagged(executable, {
        flags: {},
        env: { HTTP_PROXY: at, HTTPS_PROXY: at, NO_PROXY: 'direct.example' },
        resources: {
          'endpoints.yaml': ['secure', 'closed']
            .map((name) => endpoint(name, authority.certificate))
            .join('---'),
          'web.yaml': componentYaml('web', 'bindings.http', { url: 'http://outside.example/base' }),
          'tls.yaml': componentYaml('tls', 'bindings.http', {
            url: 'https://secure.example',
            MTLSRootCA: authority.certificate,
          }),
        },
      });
    });
    after(async () => {
      await sidecar?.stop();
      await proxy?.close();
      secure.close();
      secure.closeAllConnections();
    });
    const invoke = async (target: string, method = 'x?y=1') => {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/${target}/method/${method}`;
      const answer = await fetch(url);
      return [answer.status, await answer.text()] as const;
    };
    const bind = async (name: string) => {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/bindings/${name}`;
      const body = JSON.stringify({ operation: 'get', metadata: { path: '/x' } });
      const answer = await fetch(url, { method: 'POST', body });
      return [answer.status, await answer.text()] as const;
    };

    test('what is in the clear is asked of it by its whole address', async () => {
      assert.deepEqual(await invoke('http://outside.example'), [
        200,
        'GET http://outside.example/x?y=1 for outside.example',
      ]);
      assert.deepEqual(await bind('web'), [
        200,
        'GET http://outside.example/base/x for outside.example',
      ]);
    });

    test('what is encrypted goes through it', async () => {
      assert.deepEqual(await invoke('secure'), [200, 'secure /x?y=1']);
      assert.deepEqual(await bind('tls'), [200, 'secure /x']);
      assert.ok(proxy.asked.includes('CONNECT secure.example:443'), proxy.asked.join());
    });

    test('it is told who asks', () => {
      assert.deepEqual(new Set(proxy.signedIn), new Set([SIGNED_IN]));
    });

    test('what it does not let through fails in its words', async () => {
      const [status, text] = await invoke('closed');
      assert.equal(status, 500);
      assert.match(JSON.parse(text).message, /Get "https:\/\/closed\.example\/x\?y=1": Forbidden$/);
    });

    test('what NO_PROXY names is asked without it', async () => {
      const [status] = await invoke('http://direct.example');
      assert.equal(status, 500);
      assert.ok(
        proxy.asked.every((one) => !one.includes('direct')),
        proxy.asked.join(),
      );
    });

    test('this machine is asked without it', async (t) => {
      const app = await startEchoApp();
      t.after(() => app.close());
      const [status] = await invoke(`http://127.0.0.1:${app.port}`, 'near');
      assert.deepEqual([status, app.calls('/near')], [200, 1]);
    });

    test('one may be spoken to over TLS', async (t) => {
      const { certificate: cert, key } = await authority.issue('localhost');
      const over = await startProxy({ 'secure.example:443': portOf(secure) }, { cert, key });
      t.after(() => over.close());
      const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-proxy-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const trusted = path.join(folder, 'ca.pem');
      await writeFile(trusted, authority.certificate);
      const at = `https://me:pa%20ss@localhost:${over.port}`;
      const other = await startFlagged(executable, {
        flags: {},
        env: {
          ...{ HTTP_PROXY: at, HTTPS_PROXY: at },
          // Whom each make's runtime believes beside, or in place of, the system's authorities.
          ...{ NODE_EXTRA_CA_CERTS: trusted, SSL_CERT_FILE: trusted },
        },
      });
      t.after(() => other.stop());
      const answers: string[] = [];
      for (const target of ['http://outside.example', 'https://secure.example']) {
        const url = `http://127.0.0.1:${other.ports.http}/v1.0/invoke/${target}/method/x`;
        answers.push(await (await fetch(url)).text());
      }
      assert.deepEqual(answers, ['GET http://outside.example/x for outside.example', 'secure /x']);
      assert.deepEqual(new Set(over.signedIn), new Set([SIGNED_IN]));
    });

    test('one that is away is named', async (t) => {
      const dead = await freePort();
      const at = `http://127.0.0.1:${dead}`;
      const other = await startFlagged(executable, {
        flags: {},
        env: { HTTP_PROXY: at, HTTPS_PROXY: at },
      });
      t.after(() => other.stop());
      for (const target of ['http://outside.example', 'https://outside.example']) {
        const url = `http://127.0.0.1:${other.ports.http}/v1.0/invoke/${target}/method/x`;
        const { message } = (await (await fetch(url)).json()) as { message: string };
        const why = `proxyconnect tcp: dial tcp 127.0.0.1:${dead}: connect: connection refused`;
        assert.ok(message.endsWith(`Get "${target}/x": ${why}`), message);
      }
    });
  });
}

function endpoint(name: string, ca: string): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: "https://${name}.example", clientTLS: { rootCA: { value: ${JSON.stringify(ca)} } } }
`;
}

function portOf(server: http.Server | https.Server): number {
  return (server.address() as AddressInfo).port;
}
