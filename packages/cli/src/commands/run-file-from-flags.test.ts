import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags/parse-flags.ts';
import { RUN_FLAGS } from '../flags/run-flags.ts';
import { settleApp } from '../run-file/app-settings.ts';
import { sidecarFlags } from '../supervisor/process/launch.ts';
import { runFileFromFlags } from './run-file-from-flags.ts';

test('sizes reach the sidecar in either form, as Dapr has them; below 1 they are not set', () => {
  const given = (line: string) =>
    sizesOf(['--app-id', 'a', ...line.split(' '), '--', 'node', 'app.js']);
  assert.deepEqual(given('--dapr-http-max-request-size 16 --dapr-http-read-buffer-size 8'), [
    '--dapr-http-max-request-size=16',
    '--dapr-http-read-buffer-size=8',
  ]);
  assert.deepEqual(given('--max-body-size 16Mi --dapr-http-read-buffer-size -1'), [
    '--max-body-size=16777216',
  ]);
});

function sizesOf(args: readonly string[]): readonly string[] {
  const runFile = runFileFromFlags(parseFlags(RUN_FLAGS, args, { rest: true }), '/shop');
  const app = settleApp(runFile, runFile.apps[0]!, { exists: () => false, homeDir: '/home/me' });
  const ports = { http: 1, grpc: 2, internal: 3, metrics: 4 };
  return sidecarFlags(app, ports, []).filter((flag) => flag.includes('-size='));
}
