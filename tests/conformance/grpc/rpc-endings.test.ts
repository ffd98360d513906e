import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { type RpcApp, startRpcApp } from './rpc-app.ts';

const GONE = 'closing transport due to: connection error: desc = "error reading from server: EOF"';
const RESET = 'stream terminated by RST_STREAM with error code: ';
const HTTP = 'unexpected HTTP status code received from server: ';

/** How calls end, by what the application does: gRPC's code, its words, and the messages before. */
const ENDINGS: Readonly<Record<string, readonly [string, string, ...string[]]>> = {
  one: ['0', '', 'one'],
  three: ['0', '', 'a', 'b', 'c'],
  'no-more': ['0', ''],
  'trailers-only': ['9', 'no way'],
  'no-status': ['13', 'server closed the stream without sending trailers', 'one'],
  half: ['13', 'unexpected EOF'],
  unavailable: [
    '14',
    `${HTTP}503 (Service Unavailable); transport: received unexpected content-type "text/plain"`,
  ],
  'not-found': ['12', `${HTTP}404 (Not Found); malformed header: missing HTTP content-type`],
  page: ['2', `${HTTP}200 (OK); transport: received unexpected content-type "text/html"`],
  'reset-none': ['13', `${RESET}NO_ERROR`],
  'reset-internal': ['13', `${RESET}INTERNAL_ERROR`],
  'reset-refused': ['14', `${RESET}REFUSED_STREAM`],
  'reset-cancel': ['1', `${RESET}CANCEL`],
  'reset-calm': ['8', `${RESET}ENHANCE_YOUR_CALM`],
  cut: ['14', GONE],
  'cut-after': ['14', GONE, 'one'],
  'go-away': ['0', '', 'after'],
};

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  for (const protocol of ['grpc', 'grpcs'] as const) {
    describe(`${make}, how calls of an application over ${protocol} end`, () => {
      let app: RpcApp;
      let sidecar: Flagged;
      before(async () => {
        app = await startRpcApp(protocol === 'grpcs');
        sidecar = await startFlagged(executable, {
          flags: { 'app-port': app.port, 'app-protocol': protocol },
          env: { APP_API_TOKEN: 'it-is-me' },
        });
      });
      after(async () => {
        await sidecar.stop();
        app.close();
      });
      const call = (mode: string, more: Record<string, string> = {}) =>
        rawRpc(sidecar.ports.grpc, '/any.Service/Method', ['hello'], {
          'dapr-app-id': 'probe',
          'x-mode': mode,
          ...more,
        });

      for (const [mode, ending] of Object.entries(ENDINGS)) {
        test(mode, async () => {
          const { message, messages, status } = await call(mode);
          // Of a message of which half has come, ours has passed on that half.
          const whole = mode === 'half' ? [] : messages;
          const words = message.replace(/, received prior goaway:.*$/, '');
          assert.deepEqual([status, words, ...whole], ending);
        });
      }

      test('after a farewell in the middle, and a connection that was cut, calls go over another', async () => {
        const earlier = app.connections();
        await call('go-away');
        await call('one');
        await call('cut');
        const { status } = await call('one');
        assert.deepEqual([status, app.connections() >= earlier + 1], ['0', true]);
      });

      test('metadata that are bytes pass both ways, and the application is shown its token', async () => {
        const more = { 'mine-bin': 'AAH/', 'dapr-api-token': 'not-it' };
        const { head, trailers } = await call('one', more);
        const seen = app.last();
        assert.deepEqual(
          [head['head-bin'], trailers['tail-bin'], seen['mine-bin'], seen['dapr-api-token']],
          ['AAH/', '/wEA', 'AAH/', 'it-is-me'],
        );
      });

      test('an answer has its type, messages or none', async () => {
        for (const mode of ['one', 'no-more', 'trailers-only', 'reset-internal']) {
          const { head } = await call(mode);
          assert.equal(head['content-type'], 'application/grpc', mode);
        }
      });
    });
  }

  test(`${make}, --app-max-concurrency is not about gRPC that is passed through`, async (t) => {
    const app = await startRpcApp(false);
    t.after(() => app.close());
    const flags = { 'app-port': app.port, 'app-protocol': 'grpc', 'app-max-concurrency': 1 };
    const sidecar = await startFlagged(executable, { flags });
    t.after(() => sidecar.stop());
    const headers = { 'dapr-app-id': 'probe', 'x-mode': 'meet' };
    // Each is answered when the other one is there.
    const both = ['/a.B/C', '/a.B/D'].map((path) =>
      rawRpc(sidecar.ports.grpc, path, ['hello'], headers),
    );
    const messages = (await Promise.all(both)).map((call) => call.messages);
    assert.deepEqual(messages, [['met'], ['met']]);
  });

  test(`${make}, an application over gRPC that is not there`, async (t) => {
    const app = await startRpcApp(false);
    t.after(() => app.close());
    const flags = { 'app-port': app.port, 'app-protocol': 'grpc' };
    const sidecar = await startFlagged(executable, { flags });
    t.after(() => sidecar.stop());
    app.close();
    const headers = { 'dapr-app-id': 'probe', 'x-mode': 'one' };
    const words = async (): Promise<string> => {
      const { message, status } = await rawRpc(sidecar.ports.grpc, '/a.B/C', ['hello'], headers);
      return `${status} ${message.replace(/:\d+: connect/, ':PORT: connect')}`;
    };
    // The first may meet the end of the connection that there was.
    await words();
    assert.equal(
      await words(),
      '14 connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:PORT: connect: connection refused"',
    );
  });
}
