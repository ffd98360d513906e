import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RawRpc, rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

const POLICIES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: proxied }
spec:
  policies:
    retries:
      rpc-thrice: { policy: constant, duration: 20ms, maxRetries: 2 }
      rpc-some: { policy: constant, duration: 20ms, maxRetries: 2, matching: { gRPCStatusCodes: "14" } }
    timeouts: { rpc-quick: 300ms }
    circuitBreakers: { rpc-three: { maxRequests: 1, timeout: 60s, trip: "consecutiveFailures >= 3" } }
  targets:
    apps:
      spoken.retried: { retry: rpc-thrice }
      spoken.some: { retry: rpc-some }
      spoken.timed: { timeout: rpc-quick }
      spoken.broken: { circuitBreaker: rpc-three }
      spoken.all: { timeout: rpc-quick, retry: rpc-thrice }
`;

/** The code and words that a call ends with, the messages before, and calls that reached the application. */
type Outcome = readonly [status: string, words: string, messages: number, calls: number];

await bothMakes(conformance);

/** gRPC calls of any service, as their clients see them. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, gRPC calls passed through`, () => {
    let app: GrpcApp;
    let mesh: Mesh;
    before(async () => {
      app = await startGrpcApp();
      mesh = await startMesh(executable, {
        grpcAppPort: app.port,
        resources: { 'proxied.yaml': POLICIES },
      });
    });
    after(async () => {
      await mesh?.stop();
      app.close();
    });
    let paths = 0;
    const call = async (
      headers: Record<string, string>,
      messages: readonly string[] = ['hello'],
      given?: string,
    ): Promise<{ outcome: Outcome; ms: number; rpc: RawRpc }> => {
      paths += 1;
      const path = given ?? `/any.Service/M${paths}`;
      const begunMs = performance.now();
      const rpc = await rawRpc(mesh.grpcPort('caller'), path, messages, headers);
      const ms = performance.now() - begunMs;
      const calls = app.calls.get(path) ?? 0;
      return { outcome: [rpc.status, rpc.message, rpc.messages.length, calls], ms, rpc };
    };
    const to = (id: string, more: Record<string, string> = {}) => ({ 'dapr-app-id': id, ...more });

    test('a long answer comes whole, though its trailers are there before it is read', async () => {
      const bytes: (number | undefined)[] = [];
      for (let nth = 0; nth < 3; nth += 1) {
        const { rpc } = await call(to('spoken'), ['x'.repeat(3_500_000)]);
        bytes.push(rpc.messages[0]?.length);
      }
      assert.deepEqual(bytes, [3_500_000, 3_500_000, 3_500_000]);
    });

    for (const stream of [false, true]) {
      const what = stream ? 'a stream' : 'a call';
      test(`${what} that nobody answers ends when its client’s time is over`, async () => {
        const mode = { 'x-mode': 'hang', 'grpc-timeout': '400m' };
        const more = stream ? { 'dapr-stream': 'true' } : {};
        const { outcome, ms } = await call(to('spoken', { ...mode, ...more }));
        // daprd breaks it off without a word at times: its client knows the time as well.
        const broken = ['stream terminated by RST_STREAM with error code: CANCEL', ''];
        const words = ['context deadline exceeded', ...(make === 'daprd' ? broken : [])];
        assert.deepEqual(outcome.slice(2), [0, 1]);
        assert.ok(['4', ...(make === 'daprd' ? ['undefined'] : [])].includes(outcome[0]));
        assert.ok(words.includes(outcome[1]), outcome[1]);
        assert.ok(ms >= 390, `${ms} ms`);
      });
    }

    test('a time that is none', async () => {
      const said = [];
      for (const time of ['zz', '5', '1234567890S', '1.5S']) {
        const { outcome } = await call(to('spoken', { 'grpc-timeout': time }));
        said.push(outcome);
      }
      assert.deepEqual(
        said,
        [
          'transport: timeout unit is not recognized: "zz"',
          'transport: timeout string is too short: "5"',
          'transport: timeout string is too long: "1234567890S"',
          'strconv.ParseUint: parsing "1.5": invalid syntax',
        ].map((why) => ['13', `malformed grpc-timeout: ${why}`, 0, 0]),
      );
    });

    test('a time-out of the policies ends it, and each of its attempts', async () => {
      const late = 'context deadline exceeded';
      const ended = 'stream terminated by RST_STREAM with error code: CANCEL';
      const one = await call(to('spoken.timed', { 'x-mode': 'hang' }));
      const all = await call(to('spoken.all', { 'x-mode': 'hang' }));
      // daprd hears of its time-out or of the stream's end, whichever comes first.
      const told = ([status, words, ...counts]: Outcome): Outcome => [
        status,
        make === 'daprd' && words === ended ? late : words,
        ...counts,
      ];
      assert.deepEqual(
        [told(one.outcome), told(all.outcome)],
        [
          ['4', late, 0, 1],
          ['4', late, 0, 3],
        ],
      );
      assert.ok(one.ms >= 290 && all.ms >= 900, `${one.ms} ${all.ms}`);
    });

    test('a code that gRPC does not know is passed on, and never tried again', async () => {
      const seen = [];
      for (const id of ['spoken', 'spoken.some', 'spoken.retried']) {
        seen.push((await call(to(id, { 'x-mode': 'refuse-20' }))).outcome);
      }
      assert.deepEqual(
        seen,
        seen.map(() => ['20', 'not you%', 0, 1]),
      );
    });

    test('a circuit opens for a method, and refuses streams as well', async () => {
      const refused = to('spoken.broken', { 'x-mode': 'refuse-5' });
      const path = '/any.Service/Broken';
      const seen = [];
      for (let n = 0; n < 4; n += 1) seen.push((await call(refused, ['m'], path)).outcome);
      const stream = await call({ ...refused, 'dapr-stream': 'true' }, ['m'], path);
      const other = await call(to('spoken.broken'));
      assert.deepEqual(
        [...seen, stream.outcome, other.outcome],
        [
          ['5', 'not you%', 0, 1],
          ['5', 'not you%', 0, 2],
          ['5', 'not you%', 0, 3],
          ['2', 'circuit breaker is open', 0, 3],
          ['2', 'circuit breaker is open', 0, 3],
          ['0', '', 1, 1],
        ],
      );
    });

    test('how a stream ends is nothing to a circuit, nor how long it takes to a time-out', async () => {
      const stream = { 'dapr-stream': 'true' };
      const path = '/any.Service/Streamed';
      const refused = to('spoken.broken', { 'x-mode': 'refuse-5', ...stream });
      const codes = [];
      for (let n = 0; n < 4; n += 1) codes.push((await call(refused, ['m'], path)).outcome[0]);
      const long = { 'x-mode': 'hang', 'grpc-timeout': '700m', ...stream };
      const { ms } = await call(to('spoken.timed', long));
      assert.deepEqual(codes, ['5', '5', '5', '5']);
      assert.ok(ms >= 690, `${ms} ms`);
    });

    test('an error alone comes as it is, with its details', async () => {
      const { outcome, rpc } = await call(to('spoken', { 'x-mode': 'refuse-7' }));
      const { 'x-head': head, 'grpc-status-details-bin': details } = rpc.trailers;
      assert.deepEqual([outcome, head, details], [['7', 'not you%', 0, 1], 'only', 'CAUSA25v']);
    });

    const retries =
      make === 'daprd'
        ? 'retries are tried where `matching` has the code, and tell what is beside the error once for each'
        : 'retries are tried where `matching` has the code, and tell what is beside the last error';
    test(retries, async () => {
      const seen = [];
      for (const [id, mode] of [
        ['spoken', 'refuse-14'],
        ['spoken.retried', 'refuse-5'],
        ['spoken.some', 'refuse-5'],
        ['spoken.some', 'refuse-14'],
      ] as const) {
        const { outcome, rpc } = await call(to(id, { 'x-mode': mode }));
        seen.push([outcome[0], outcome[3], rpc.trailers['x-head']]);
      }
      const last = make === 'daprd' ? 'only, only, only' : 'only';
      assert.deepEqual(seen, [
        ['14', 1, 'only'],
        ['5', 3, last],
        ['5', 1, 'only'],
        ['14', 3, last],
      ]);
    });

    test('many answers to one message pass, with retries as without', async () => {
      const mode = { 'x-mode': 'many-5' };
      const seen = [
        (await call(to('spoken', mode))).outcome,
        (await call(to('spoken.retried', mode))).outcome,
      ];
      assert.deepEqual(seen, [
        ['0', '', 5, 1],
        ['0', '', 5, 1],
      ]);
    });

    const broken =
      make === 'daprd'
        ? 'a call that fails after its answers is tried again, and its client has them three times'
        : 'a call that fails after its answers is not tried again: its client has had them';
    test(broken, async () => {
      const { outcome } = await call(to('spoken.retried', { 'x-mode': 'late' }));
      assert.deepEqual(outcome, make === 'daprd' ? ['5', 'gone', 3, 3] : ['5', 'gone', 1, 1]);
    });

    test('no message, an empty one and two of them pass', async () => {
      const seen = [];
      for (const messages of [[], [''], ['1', '2']]) {
        seen.push((await call(to('spoken'), messages)).outcome);
      }
      assert.deepEqual(seen, [
        ['0', '', 0, 1],
        ['0', '', 1, 1],
        ['0', '', 2, 1],
      ]);
    });

    test('dapr-callee-app-id says whom it is for as well, and before dapr-app-id', async () => {
      const alone = await call({ 'dapr-callee-app-id': 'spoken' });
      const first = await call({ 'dapr-callee-app-id': 'nobody', 'dapr-app-id': 'spoken' });
      assert.deepEqual(
        [alone.outcome, first.outcome],
        [
          ['0', '', 1, 1],
          ['2', 'no host found with the given ID', 0, 0],
        ],
      );
    });

    test('an app id with too many parts, a sidecar that is gone, a message that is too long', async () => {
      const seen = [];
      for (const [id, text] of [
        ['spoken.a.b', ''],
        ['dead', ''],
        ['spoken', 'x'.repeat(4 * 2 ** 20 + 1)],
      ] as const) {
        const { outcome } = await call(to(id), [text]);
        seen.push(`${outcome[0]} ${outcome[1].replace(/127\.0\.0\.1:\d+/, 'DEAD')}`);
      }
      assert.deepEqual(seen, [
        '2 invalid app id spoken.a.b',
        '14 connection error: desc = "transport: Error while dialing: dial tcp DEAD: connect: connection refused"',
        '8 grpc: received message larger than max (4194305 vs. 4194304)',
      ]);
    });

    test('an application of another sidecar that speaks HTTP alone', async () => {
      const { outcome } = await call(to('callee'));
      const why =
        'http2: failed reading the frame payload: http2: frame too large, note that the frame header looked like an HTTP/1.1 header';
      const words = `connection error: desc = "error reading server preface: ${why}"`;
      assert.deepEqual(outcome, ['14', words, 0, 0]);
    });

    test('a trace goes on, in whichever form it came, and reaches the application in both', async () => {
      const ids = {
        bin: '000102030405060708090a0b0c0d0e0f',
        text: '0af7651916cd43dd8448eb211c80319c',
      };
      const bin = `0000${ids.bin}0100010203040506070201`;
      const ways = {
        bin: { 'grpc-trace-bin': Buffer.from(bin, 'hex').toString('base64').replace(/=+$/, '') },
        text: { traceparent: `00-${ids.text}-b7ad6b7169203331-01` },
      };
      for (const [way, id] of Object.entries(ids)) {
        const { rpc } = await call(to('spoken', ways[way as keyof typeof ways]));
        const [text, bytes] = JSON.parse(String(rpc.trailers['x-traced'])) as string[];
        // daprd leaves what it was sent before its own.
        const last = (list: string): string => list.split(', ').at(-1)!;
        const seen = Buffer.from(last(bytes!), 'base64').toString('hex');
        assert.equal(last(text!).split('-')[1], id, way);
        assert.equal(seen.slice(4, 36), id, way);
        assert.equal(seen.slice(38, 54), last(text!).split('-')[2], way);
      }
    });

    test('baggage passes and comes back, and what cannot be read is refused', async () => {
      const good = await call(to('spoken', { baggage: 'a=1;p=2,b=x' }));
      const bad = await call(to('spoken', { baggage: 'zz' }));
      // daprd keeps the members in a map of Go's, whose order is another one each time.
      const membersOf = (baggage: string) => baggage.split(/, ?/).toSorted();
      const passed = JSON.parse(String(good.rpc.trailers['x-traced']))[2];
      assert.deepEqual(membersOf(passed), ['a=1;p=2', 'b=x']);
      // Each daprd on the way says it once.
      const told = make === 'daprd' ? ['a=1;p=2', 'a=1;p=2', 'b=x', 'b=x'] : ['a=1;p=2', 'b=x'];
      assert.deepEqual(membersOf(String(good.rpc.head.baggage)), told);
      const why = 'invalid baggage header: invalid baggage list-member: "zz"';
      assert.deepEqual(bad.outcome, ['3', why, 0, 0]);
    });
  });
}
