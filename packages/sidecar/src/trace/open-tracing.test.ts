import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { openTracing } from './open-tracing.ts';
import type { TracingExports } from './tracing-configuration.ts';

test('a Zipkin address without scheme or host is refused, and not repeated', async () => {
  for (const zipkinUrl of ['nope', 'user:secret@zipkin:9411', 'zipkin:9411/api/v2/spans']) {
    await assert.rejects(opened({ zipkinUrl, stdout: false }), ({ message }: Error) => {
      assert.match(
        message,
        /spec\.tracing\.zipkin\.endpointAddress .* has no scheme or host; write/,
      );
      return !message.includes('secret');
    });
  }
});

test('an OTLP address that is none is told of, and spans go to the others', async () => {
  for (const protocol of ['grpc', 'http'] as const) {
    const said = await opened({ otlp: { protocol, url: 'https://no pe:x' }, stdout: true });
    assert.equal(said.length, 1);
    assert.match(
      said[0]!,
      /spec\.tracing\.otel\.endpointAddress .* is no address; write HOST:PORT/,
    );
  }
});

/** What was warned of. */
async function opened(exports: TracingExports): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = createLogger({ level: 'warn', write: (line) => void lines.push(line) });
  const tracing = await openTracing(
    { exports, samplingRate: 1, samplingRateGiven: true },
    { appId: 'orders', variables: {}, clock: systemClock, log },
  );
  await tracing.close();
  return lines;
}
