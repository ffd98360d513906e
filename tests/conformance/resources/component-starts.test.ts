import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { mosquittoServer, redisServer, Unavailable } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFailure } from '../makes/one-sidecar.ts';

/** What metadata make of a start: `starts`, or what is said in place of it. */
interface Row {
  readonly type: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly both?: 'starts' | RegExp;
  /** Where the two differ on purpose. */
  readonly holdfast?: 'starts' | RegExp;
  readonly daprd?: 'starts' | RegExp;
  readonly why?: string;
}

const [redis, mosquitto] = [await redisServer(), await mosquittoServer()];
if (redis instanceof Unavailable || mosquitto instanceof Unavailable) {
  const { why } = [redis, mosquitto].find((one) => one instanceof Unavailable) as Unavailable;
  if (process.env.CI === 'true') throw new Error(why);
  test('what metadata make of a start', { skip: why }, () => {});
} else {
  after(() => Promise.all([redis.process.remove(), mosquitto.process.remove()]));
  const all = rows(`127.0.0.1:${redis.port}`, `127.0.0.1:${mosquitto.port}`);
  await bothMakes((make, executable) => conformance(make, executable, all));
}

function conformance(make: Make, executable: string | undefined, all: readonly Row[]): void {
  describe(`${make}, what metadata make of a start`, () => {
    for (const row of all) {
      const { both, metadata, type, why } = row;
      const said = Object.entries(metadata).filter(([name]) => !/^(redisHost|url)$/.test(name));
      const title = `${type}, ${said.map((pair) => pair.join(' ')).join(', ')}`;
      test(why === undefined ? title : `${title}: ${why}`, async () => {
        const wanted = both ?? row[make]!;
        const failure = await failureOf(executable, type, metadata);
        if (wanted === 'starts') assert.equal(failure, undefined);
        else assert.match(failure ?? 'it started', wanted);
      });
    }
  });
}

function rows(redisHost: string, mosquitto: string): readonly Row[] {
  const url = `tcp://${mosquitto}`;
  const http = 'http://127.0.0.1:1';
  return [
    {
      type: 'state.redis',
      metadata: { redisHost, redisDB: '99' },
      both: /error connecting to redis at .*: ERR DB index is out of range/,
    },
    {
      type: 'state.redis',
      metadata: { redisHost, dialTimeout: '0', readTimeout: '-1', redisMaxRetries: '-1' },
      both: 'starts',
    },
    { type: 'state.redis', metadata: { redisHost, ttlInSeconds: 'soon' }, both: /ttlInSeconds/ },
    { type: 'configuration.redis', metadata: { redisHost, redisDB: '99' }, both: /out of range/ },
    { type: 'configuration.redis', metadata: { redisHost, maxRetries: 'x' }, both: 'starts' },
    { type: 'state.redis', metadata: { redisHost, maxRetries: 'x' }, both: /[mM]axRetries/ },
    { type: 'pubsub.redis', metadata: { redisHost, redisPort: '1' }, both: /redisPort/ },
    { type: 'pubsub.redis', metadata: { redisHost, redisDB: '-1' }, both: 'starts' },
    { type: 'pubsub.redis', metadata: { redisHost, maxLenApprox: '-1' }, both: 'starts' },
    { type: 'pubsub.redis', metadata: { redisHost, maxLenApprox: '0x10' }, both: /maxLenApprox/ },
    { type: 'pubsub.redis', metadata: { redisHost, redisType: 'Node' }, both: 'starts' },
    { type: 'pubsub.redis', metadata: { redisHost, redisUsername: 'me' }, both: 'starts' },
    { type: 'pubsub.redis', metadata: { redisHost, enableTLS: 'yes' }, both: /enableTLS/ },
    { type: 'pubsub.redis', metadata: { redisHost, failover: 'perhaps' }, both: /failover/ },
    {
      type: 'pubsub.redis',
      metadata: { redisHost, processingTimeout: 'soon' },
      both: /processingT/,
    },
    { type: 'pubsub.redis', metadata: { redisHost, streamTTL: '30d' }, both: /streamTTL/ },
    {
      type: 'pubsub.redis',
      metadata: { redisHost, concurrency: '0' },
      daprd: 'starts',
      holdfast: /concurrency must be at least 1, not 0/,
      why: 'nothing would ever be taken from a topic',
    },
    {
      type: 'pubsub.redis',
      metadata: { redisHost, poolSize: 'many' },
      daprd: /poolSize/,
      holdfast: 'starts',
      why: 'there is no pool here, and the log says so',
    },
    { type: 'pubsub.mqtt3', metadata: { url, qos: '8' }, both: /qos/ },
    // Numbers are as in Go's source: hexadecimal, and octal behind a zero.
    { type: 'pubsub.mqtt3', metadata: { url, qos: '0x2' }, both: 'starts' },
    { type: 'pubsub.mqtt3', metadata: { url, qos: '010' }, both: /qos/ },
    { type: 'pubsub.mqtt', metadata: { url }, both: 'starts' },
    {
      type: 'pubsub.mqtt3',
      metadata: { url, qos: '3' },
      daprd: 'starts',
      holdfast: /qos must be 0, 1 or 2, not 3/,
      why: 'the broker hangs up on the first who uses it',
    },
    {
      type: 'pubsub.mqtt3',
      metadata: { url, caCert: 'ca.pem' },
      daprd: /invalid caCert/,
      holdfast: 'starts',
      why: 'nothing is encrypted here, and the log says that it has no effect',
    },
    { type: 'pubsub.mqtt3', metadata: { url, qos: '2' }, both: 'starts' },
    { type: 'pubsub.mqtt3', metadata: { url, retain: 'perhaps' }, both: 'starts' },
    { type: 'state.in-memory', metadata: { keyPrefix: 'a||b' }, both: /a\|\|b/ },
    { type: 'bindings.http', metadata: { url: http, MTLSClientCert: 'no file' }, both: 'starts' },
    { type: 'bindings.http', metadata: { url: http, MTLSRootCA: 'no file' }, both: /MTLSRootCA/ },
    {
      type: 'bindings.http',
      metadata: {},
      daprd: 'starts',
      holdfast: /url is missing/,
      why: 'every call of it would fail',
    },
    ...httpRows(http),
    ...kafkaRows(),
    { type: 'bindings.localstorage', metadata: { rootPath: '/proc/x' }, both: /disallowed/ },
    { type: 'bindings.localstorage', metadata: {}, both: /rootPath/ },
    { type: 'bindings.cron', metadata: { schedule: '61 * * * *' }, both: /61 \* \* \* \*/ },
    { type: 'bindings.cron', metadata: { schedule: '@every 1' }, both: /@every 1/ },
    ...cronRows(),
    {
      type: 'bindings.localstorage',
      metadata: { rootPath: '/tmp/x', RootPath: '/tmp/y' },
      both: /key rootpath is duplicate in the metadata/,
    },
    { type: 'middleware.http.ratelimit', metadata: { maxRequestsPerSecond: '0' }, both: /maxReq/ },
    {
      type: 'middleware.http.ratelimit',
      metadata: { maxRequestsPerSecond: 'x' },
      both: /[mM]axReq/,
    },
    { type: 'middleware.http.routeralias', metadata: { routes: '[' }, both: /routes/ },
    { type: 'middleware.http.bearer', metadata: { audience: 'a' }, both: /issuer/ },
    { type: 'middleware.http.bearer', metadata: { issuer: http }, both: /audience/ },
    {
      type: 'middleware.http.uppercase',
      metadata: { direction: 'sideways' },
      daprd: 'starts',
      holdfast: /direction must be request, response or both/,
      why: 'nobody could say what was meant',
    },
  ];
}

function httpRows(url: string): readonly Row[] {
  const type = 'bindings.http';
  const pem = (kind: string) => `-----BEGIN ${kind}-----\\nAAAA\\n-----END ${kind}-----\\n`;
  const [cert, key] = [pem('CERTIFICATE'), pem('PRIVATE KEY')];
  const refused: readonly (readonly [metadata: Row['metadata'], why: RegExp])[] = [
    [{ MTLSRootCA: cert }, /failed to add root certificate to certpool/],
    [{ MTLSClientCert: cert, MTLSClientKey: key }, /failed to load client certificate/],
    [{ MTLSRenegotiation: 'Sometimes' }, /invalid renegotiation value: Sometimes/],
    [{ maxResponseBodySize: 'much' }, /maxResponseBodySize|quantit/],
    [{ responseTimeout: 'soon' }, /responseTimeout/i],
  ];
  return [
    ...refused.map(([more, both]) => ({ type, metadata: { url, ...more }, both })),
    ...['2Ti', '1e6', '-1', '0'].map(
      (maxResponseBodySize): Row => ({
        ...{ type, metadata: { url, maxResponseBodySize }, both: 'starts' },
      }),
    ),
  ];
}

/** Refused for what they say, before anybody is looked for at the address. */
function kafkaRows(): readonly Row[] {
  const none = { brokers: '127.0.0.1:1', authType: 'none' };
  const password = { ...none, authType: 'password', saslUsername: 'u', saslPassword: 'p' };
  const oidc = { ...none, authType: 'oidc', oidcTokenEndpoint: 'https://h/t', oidcClientID: 'c' };
  const refused: readonly (readonly [metadata: Row['metadata'], why: RegExp])[] = [
    [{ authType: 'none' }, /brokers/],
    [{ brokers: '127.0.0.1:1' }, /authType/],
    [{ ...none, authType: 'kerberos' }, /authType/],
    [{ ...none, initialOffset: 'middle' }, /initialOffset/],
    [{ ...none, compression: 'rar' }, /compression/],
    [{ ...none, consumerFetchMin: 'x' }, /consumerFetchMin|parsing \\?"x/],
    [{ ...none, heartbeatInterval: 'soon' }, /heartbeatInterval/i],
    [{ ...none, backOffDuration: 'soon' }, /backOffDuration|invalid duration/],
    [{ ...none, backOffPolicy: 'linear' }, /backOffPolicy|policy type: linear/],
    [
      { ...none, consumeRetryEnabled: 'true', backOffMaxRetries: 'x' },
      /backOffMaxRetries|invalid int64/,
    ],
    [{ ...password, saslPassword: '' }, /saslPassword|SASL Password/],
    [{ ...oidc }, /oidcClientSecret|OIDC Client Secret/],
    [{ ...oidc, oidcClientSecret: 's', oidcExtensions: '[]' }, /oidcExtensions|OIDC Extensions/],
    [{ ...none, authType: 'certificate' }, /caCert/],
    [{ ...none, authType: 'certificate', caCert: 'ca.pem' }, /caCert|ca certificate/],
    [{ ...none, authType: 'mtls', clientCert: 'x' }, /clientCert|client certificate/],
    [{ ...none, authRequired: 'perhaps', authType: '' }, /authRequired/],
  ];
  return ['pubsub.kafka', 'bindings.kafka'].flatMap((type) =>
    refused.map(([metadata, both]) => ({ type, metadata, both })),
  );
}

function cronRows(): readonly Row[] {
  const refused: readonly (readonly [schedule: string, why: RegExp])[] = [
    ['* * *', /expected 5 to 6 fields, found 3: \[\* \* \*\]/],
    ['0 0 * * 7', /end of range \(7\) above maximum \(6\): 7/],
    ['0 0 0 * *', /beginning of range \(0\) below minimum \(1\): 0/],
    ['5-1 * * * *', /beginning of range \(5\) beyond end of range \(1\): 5-1/],
    ['*/0 * * * *', /step of range should be a positive number: \*\/0/],
    ['0 0 L * *', /failed to parse int from L: strconv\.Atoi: parsing \\?"L\\?": invalid syntax/],
    ['TZ=No/City * * * * *', /TZ=No\/City/],
  ];
  const starting = ['@every 500ms', '0 */90 * * * *', '1,,3 * * * *', ', * * * *', '0 9 ? * MON'];
  const type = 'bindings.cron';
  return [
    ...refused.map(([schedule, both]) => ({ type, metadata: { schedule }, both })),
    ...starting.map((schedule): Row => ({ type, metadata: { schedule }, both: 'starts' })),
    {
      type,
      metadata: { schedule: '@every 0s' },
      daprd: 'starts',
      holdfast: /@every 0s would never wait/,
      why: 'it would do nothing but tell, and daprd uses a whole core for it',
    },
  ];
}

async function failureOf(
  executable: string | undefined,
  type: string,
  metadata: Row['metadata'],
): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-starts-'));
  const items = Object.entries(metadata)
    .map(([name, value]) => `    - { name: ${name}, value: "${value}" }`)
    .join('\n');
  const text = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: it }
spec:
  type: ${type}
  version: v1
  metadata:
${items}
`;
  await writeFile(path.join(folder, 'it.yaml'), text);
  const start = { role: 'caller', appPort: undefined, resources: folder, secured: false };
  const said = await startFailure(executable, { ...start, configs: [] });
  await rm(folder, { recursive: true, force: true });
  return said;
}
