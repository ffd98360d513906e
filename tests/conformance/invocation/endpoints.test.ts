import assert from 'node:assert/strict';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { selfSigned } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

await bothMakes(endpoints);

/** An HTTPEndpoint whose headers and certificates are secrets. */
function endpoints(make: Make, executable: string | undefined): void {
  describe(`${make}, HTTPEndpoint`, () => {
    let mesh: Mesh;
    let server: https.Server;
    before(async () => {
      const { certificate, key } = await selfSigned();
      const tls = { cert: certificate, key, ca: certificate };
      server = https.createServer({ ...tls, requestCert: true, rejectUnauthorized: false });
      server.on('request', (req, res) => {
        const { authorized } = req.socket as TLSSocket;
        res.end(JSON.stringify({ authorized, key: req.headers['x-key'], path: req.url }));
      });
      server.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      mesh = await startMesh(executable, {
        resources: {
          'secrets.json': JSON.stringify({ apikey: 'hush', cert: certificate, key }),
          'endpoints.yaml': RESOURCES.replaceAll('$URL', url),
        },
      });
    });
    after(async () => {
      await mesh?.stop();
      server.close();
      server.closeAllConnections();
    });
    const call = async (endpoint: string) => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/${endpoint}/method/x?y=1`;
      const answer = await fetch(at);
      return { status: answer.status, body: await answer.text() };
    };

    test('headers and certificates may be secrets', async () => {
      const { status, body } = await call('known');
      assert.equal(status, 200, body);
      assert.deepEqual(JSON.parse(body), { authorized: true, key: 'hush', path: '/x?y=1' });
    });

    test('whom it is not told to trust it does not call', async () => {
      const { status, body } = await call('unknown');
      assert.deepEqual([status, /ERR_DIRECT_INVOKE/.test(body)], [500, true], body);
    });
  });
}

const RESOURCES = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: vault }
spec: { type: secretstores.local.file, version: v1, metadata: [{ name: secretsFile, value: "$FOLDER/resources/secrets.json" }] }
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: known }
spec:
  baseUrl: $URL
  headers: [{ name: X-Key, secretKeyRef: { name: apikey, key: apikey } }]
  clientTLS:
    rootCA: { secretKeyRef: { name: cert, key: cert } }
    certificate: { secretKeyRef: { name: cert, key: cert } }
    privateKey: { secretKeyRef: { name: key, key: key } }
auth: { secretStore: vault }
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: unknown }
spec: { baseUrl: $URL }
`;
