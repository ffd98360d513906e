import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_EXPORTS, tracingExports, withVariables } from './tracing-configuration.ts';

test('reads Dapr’s keys: secure and gRPC unless the file says otherwise', () => {
  const read = (tracing: unknown) => tracingExports(tracing, NO_EXPORTS);

  assert.deepEqual(
    [
      read({ zipkin: { endpointAddress: 'http://z:9411/api/v2/spans' }, stdout: true }),
      read({ otel: { endpointAddress: 'c:4317' } }).otlp,
      read({
        otel: {
          endpointAddress: 'c:4318',
          protocol: 'http',
          isSecure: false,
          headers: ['a=b=c', 'nonsense', { name: 'api-key', value: 7 }, { name: 'empty' }],
          timeout: '3s',
        },
      }).otlp,
      read({ otel: {}, zipkin: { endpointAddress: '' } }),
    ],
    [
      { zipkinUrl: 'http://z:9411/api/v2/spans', otlp: undefined, stdout: true },
      { protocol: 'grpc', url: 'https://c:4317', headers: {} },
      {
        protocol: 'http',
        url: 'http://c:4318',
        headers: { a: 'b=c', 'api-key': '7' },
        timeoutMs: 3_000,
      },
      { zipkinUrl: undefined, otlp: undefined, stdout: false },
    ],
  );
});

test('a second file changes what it names and leaves the rest', () => {
  const first = tracingExports(
    { zipkin: { endpointAddress: 'http://z' }, stdout: true },
    NO_EXPORTS,
  );

  assert.deepEqual(tracingExports({ otel: { endpointAddress: 'http://c' } }, first), {
    zipkinUrl: 'http://z',
    otlp: { protocol: 'grpc', url: 'http://c', headers: {} },
    stdout: true,
  });
});

test('variables say where no file does, those for traces before those for everything', () => {
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'all:4317',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'traces:4317',
    OTEL_EXPORTER_OTLP_INSECURE: 'true',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=Basic%20b%3D,c=100%',
    OTEL_EXPORTER_OTLP_TIMEOUT: '700',
  };

  assert.deepEqual(
    [
      withVariables(NO_EXPORTS, variables).otlp,
      withVariables(NO_EXPORTS, { OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }).otlp,
    ],
    [
      {
        protocol: 'http',
        url: 'http://traces:4317',
        headers: { a: 'Basic b=', c: '100%' },
        timeoutMs: 700,
      },
      undefined,
    ],
  );
});

test('a file that names a collector wins over variables, which fill in what it leaves open', () => {
  const read = (otel: object) =>
    tracingExports({ otel: { endpointAddress: 'c:4317', ...otel } }, NO_EXPORTS);
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'all:4317',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'from=variable',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '700',
  };

  assert.deepEqual(
    [
      withVariables(read({}), {}).otlp,
      withVariables(read({}), variables).otlp,
      withVariables(read({ headers: ['from=file'], timeout: '3s' }), variables).otlp,
    ],
    [
      { protocol: 'grpc', url: 'https://c:4317', headers: {} },
      { protocol: 'grpc', url: 'https://c:4317', headers: { from: 'variable' }, timeoutMs: 700 },
      { protocol: 'grpc', url: 'https://c:4317', headers: { from: 'file' }, timeoutMs: 3_000 },
    ],
  );
});
