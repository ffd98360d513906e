import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';
import { until } from '@holdfast/test-servers';
import { AUDIENCE, startIssuer } from '../access/issuer.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';
import { type Running, startFailure, startOne } from '../makes/one-sidecar.ts';
import { startTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const PUBLIC = publicKey.export({ type: 'spki', format: 'pem' }).toString();
/** Nobody looks into it, but it must be there. */
const CERT = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
/** With what has to be escaped in a header. */
const SECRET = 'tell no+body:%';

const problem = await kafkaProblem();
if (problem !== undefined) {
  if (process.env.CI === 'true') throw new Error(problem);
  test('pubsub.kafka with tokens', { skip: problem }, () => {});
} else {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-oidc-'));
  const issuer = await startIssuer();
  const endpoint = await startTokenEndpoint(issuer, {
    secrets: { 'in-header': SECRET, 'in-body': SECRET },
    keys: { signing: PUBLIC },
  });
  const server = await startKafka({ dataDir, ...tokensOnly(issuer.url) });
  after(async () => {
    await server.kill();
    await endpoint.stop();
    await issuer.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await bothMakes((make, executable) =>
    conformance(make, executable, `127.0.0.1:${server.port}`, endpoint),
  );
}

function conformance(
  make: Make,
  executable: string | undefined,
  address: string,
  endpoint: TokenEndpoint,
): void {
  describe(`${make}, pubsub.kafka with tokens`, () => {
    const client = { oidcTokenEndpoint: endpoint.url, disableTls: 'true' };
    const components: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'in-header': {
        ...{ authType: 'oidc', ...client, oidcClientSecret: SECRET },
        oidcScopes: 'openid,kafka',
        oidcExtensions: '{"cluster":"one"}',
      },
      'in-body': {
        ...{ authType: 'oidc', ...client, oidcClientSecret: SECRET },
        oidcTokenEndpoint: `${endpoint.url}/body`,
      },
      signing: {
        ...{ authType: 'oidc_private_key_jwt', ...client },
        oidcClientAssertionCert: CERT,
        oidcClientAssertionKey: KEY,
        oidcAudience: endpoint.url,
        oidcResource: 'api://kafka',
        oidcKid: '7',
      },
    };
    const got = new Map<string, unknown>();
    let folder: string;
    let app: EchoApp;
    let sidecar: Running;
    before(async () => {
      endpoint.forget();
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-oidc-'));
      for (const [name, metadata] of Object.entries(components)) {
        const text = component(name, {
          ...{ brokers: address, oidcClientID: name, consumerGroup: `${make}-${name}` },
          ...{ initialOffset: 'oldest', ...metadata },
        });
        await writeFile(path.join(folder, `${name}.yaml`), text);
      }
      app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') {
          const wanted = Object.keys(components).map((name) => ({
            ...{ pubsubname: name, topic: `${make}-${name}`, route: `/on-${name}` },
          }));
          return { status: 200, body: JSON.stringify(wanted) };
        }
        const name = /^\/on-(.+)$/.exec(url)?.[1];
        if (name === undefined) return undefined;
        got.set(name, JSON.parse(body).data);
        return { status: 200, body: '' };
      });
      const start = { role: 'tokens', appPort: app.port, resources: folder, configs: [] };
      sidecar = await startOne(executable, { ...start, secured: false });
    });
    after(async () => {
      await sidecar?.stop();
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });

    for (const name of Object.keys(components)) {
      test(`${name}: an event goes to a Kafka that wants a token, and comes back`, async () => {
        const to = `http://127.0.0.1:${sidecar.ports.http}/v1.0/publish/${name}/${make}-${name}`;
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(to, { method: 'POST', headers, body: '{"n":1}' });
        assert.equal(answer.status, 204, await answer.text());
        await until('it comes back', () => got.has(name));
        assert.deepEqual(got.get(name), { n: 1 });
      });
    }

    test('a secret that is wrong is told: at the start, or with us when something is published', async () => {
      const wrong = await mkdtemp(path.join(tmpdir(), 'holdfast-oidc-'));
      const metadata = { ...components['in-header'], oidcClientSecret: 'guess' };
      const text = component('wrong', { brokers: address, oidcClientID: 'in-header', ...metadata });
      await writeFile(path.join(wrong, 'wrong.yaml'), text);
      const start = { role: 'wrong', appPort: undefined, resources: wrong, configs: [] };
      const invalid = /invalid_client/;
      if (executable !== undefined) {
        assert.match((await startFailure(executable, { ...start, secured: false })) ?? '', invalid);
      } else {
        const other = await startOne(undefined, { ...start, secured: false });
        const to = `http://127.0.0.1:${other.ports.http}/v1.0/publish/wrong/any`;
        const answer = await fetch(to, { method: 'POST', body: '{}' });
        assert.equal(answer.status, 500);
        assert.match(await answer.text(), invalid);
        await other.stop();
      }
      await rm(wrong, { recursive: true, force: true });
    });

    test('each asked for its token as its metadata say', () => {
      const grant_type = 'client_credentials';
      assert.deepEqual(Object.fromEntries(endpoint.asked), {
        'in-header': { grant_type, scope: 'openid kafka' },
        'in-body': { grant_type, scope: 'openid', client_id: 'in-body' },
        signing: {
          ...{ grant_type, scope: 'openid', client_id: 'signing' },
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          audience: endpoint.url,
          resource: 'api://kafka',
        },
      });
    });
  });
}

/** Kafka's own validator, with the keys that an issuer serves. */
function tokensOnly(issuer: string) {
  const security = 'org.apache.kafka.common.security';
  return {
    // It asks no address that it was not told of.
    jvmArgs: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${issuer}/keys`],
    properties: {
      'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN,OAUTHBEARER',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.plaintext.plain.sasl.jaas.config': `${security}.plain.PlainLoginModule required username="me" password="pw" user_me="pw";`,
      'listener.name.plaintext.oauthbearer.sasl.jaas.config': `${security}.oauthbearer.OAuthBearerLoginModule required;`,
      'listener.name.plaintext.oauthbearer.sasl.server.callback.handler.class': `${security}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
      'listener.name.plaintext.oauthbearer.sasl.oauthbearer.jwks.endpoint.url': `${issuer}/keys`,
      'listener.name.plaintext.oauthbearer.sasl.oauthbearer.expected.audience': AUDIENCE,
      'listener.name.plaintext.oauthbearer.sasl.oauthbearer.expected.issuer': issuer,
    },
  };
}

const component = (name: string, metadata: Readonly<Record<string, string>>): string =>
  componentYaml(name, 'pubsub.kafka', metadata);
