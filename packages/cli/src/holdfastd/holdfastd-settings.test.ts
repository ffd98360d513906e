import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOLDFASTD_FLAGS } from '../flags/holdfastd-flags.ts';
import { parseFlags } from '../flags/parse-flags.ts';
import { holdfastdSettings, idleCertificates } from './holdfastd-settings.ts';

test('what was not given is left to the sidecar', () => {
  assert.deepEqual(settings('--app-id a', {}), {
    sidecar: { appId: 'a', grpcPort: 50_001 },
    log: { level: 'info', json: false, file: undefined },
  });
});

test('flags and variables become options, in the sidecar’s units', () => {
  const line =
    '--app-id a --app-port 80 --app-protocol grpc --app-ssl --dapr-http-port -1 --dapr-grpc-port -1 --metrics-port 0 --max-body-size 1Ki --read-buffer-size -1 --disable-init-endpoints Subscribe,,config ' +
    '--dapr-graceful-shutdown-seconds 2 --enable-app-health-check --app-health-probe-interval 1 ' +
    '--dapr-listen-addresses [::1],127.0.0.1 --resources-path r --components-path c --log-level Warning --log-as-json';
  const env = { DAPR_API_TOKEN: 't', APP_API_TOKEN: 'u', NAMESPACE: 'n', DAPR_HOST_IP: '10.0.0.1' };
  assert.deepEqual(settings(line, env), {
    sidecar: {
      appId: 'a',
      appPort: 80,
      appProtocol: 'grpcs',
      disableInitEndpoints: ['subscribe', 'config'],
      httpPort: 0,
      grpcPort: 0,
      metricsPort: 0,
      listenAddresses: ['::1', '127.0.0.1'],
      resourcesPaths: ['r'],
      maxBodyBytes: 1_024,
      readBufferBytes: 2 ** 24,
      gracefulShutdownMs: 2_000,
      appHealthCheck: { intervalMs: 1_000 },
      apiToken: 't',
      appApiToken: 'u',
      namespace: 'n',
      hostAddress: '10.0.0.1',
    },
    log: { level: 'warn', json: true, file: undefined },
  });
});

test('certificates come from files, else from daprd’s variables, and none may be missing', () => {
  const line =
    '--app-id a --enable-mtls --dapr-internal-grpc-listen-address [::] --trust-anchors-file r';
  const env = { DAPR_TRUST_ANCHORS: 'x', DAPR_CERT_CHAIN: 'c', DAPR_CERT_KEY: 'k' };
  const { sidecar } = settings(line, env) as { sidecar: unknown };
  assert.deepEqual(sidecar, {
    appId: 'a',
    grpcPort: 50_001,
    internalListenAddress: '::',
    mtls: { trustAnchorsFile: 'r', certChain: 'c', certKey: 'k' },
  });
  assert.throws(() => settings(line, { DAPR_CERT_CHAIN: 'c' }), {
    message: /--enable-mtls needs --cert-key-file or DAPR_CERT_KEY/,
  });
});

test('certificates that nobody asked to use are told of', () => {
  const idle = (line: string) => idleCertificates(parsed(line));
  assert.deepEqual(
    [
      idle('--app-id a --cert-key-file k'),
      idle('--app-id a --enable-mtls --cert-key-file k'),
      idle('--app-id a'),
    ],
    [['--cert-key-file has no effect without --enable-mtls: sidecars speak in the clear.'], [], []],
  );
});

test('a sidecar without a name, with a dotted one, for a protocol it does not speak a question it does not ask or a probe too long is refused', () => {
  const lines = [
    ...['', '--app-id a.b', '--app-id a --app-protocol tcp'],
    '--app-id a --disable-init-endpoints subscribe,topics',
    '--app-id a --enable-app-health-check --app-health-probe-timeout 5001',
  ];
  const messages = lines.map((line) => {
    try {
      return settings(line, {});
    } catch (error) {
      return (error as Error).message;
    }
  });
  assert.deepEqual(messages, [
    '--app-id is missing; give the name other apps call this one by.',
    '--app-id must be 1 to 128 letters, digits, `_` and `-`, not "a.b".',
    '--app-protocol must be one of http, https, grpc, grpcs, h2c, not "tcp".',
    '--disable-init-endpoints must be of config and subscribe, not "topics".',
    '--app-health-probe-timeout must be at most --app-health-probe-interval, which is 5000 ms, not 5001 ms.',
  ]);
});

function settings(line: string, env: Record<string, string>): unknown {
  return holdfastdSettings(parsed(line), env);
}

function parsed(line: string) {
  const args = line.split(' ').filter((word) => word !== '');
  return parseFlags(HOLDFASTD_FLAGS, args, { singleDash: true });
}
