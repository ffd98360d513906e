import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Flag } from './flag.ts';
import { HOLDFASTD_FLAGS } from './holdfastd-flags.ts';
import { type ParseFlagsOptions, parseFlags } from './parse-flags.ts';
import { RUN_FLAGS } from './run-flags.ts';

const DAEMON: ParseFlagsOptions = { singleDash: true, booleanWords: true };

describe('the flags of holdfastd', () => {
  const read: readonly (readonly [string, Record<string, unknown>])[] = [
    ['--app-id a', { 'app-id': 'a' }],
    ['-app-id a', { 'app-id': 'a' }],
    ['-h', { help: true }],
    ['--app-id=a', { 'app-id': 'a' }],
    ['-app-id=a', { 'app-id': 'a' }],
    ['--app-id a --app-id b', { 'app-id': 'b' }],
    ['--app-health-check-path /a=b', { 'app-health-check-path': '/a=b' }],
    ['--enable-metrics', { 'enable-metrics': true }],
    ['--enable-metrics=false', { 'enable-metrics': false }],
    ['--enable-metrics false --log-as-json', { 'enable-metrics': false, 'log-as-json': true }],
    ['--enable-metrics=F', { 'enable-metrics': false }],
    ['--resources-path a --resources-path=b,c', { 'resources-path': ['a', 'b', 'c'] }],
    ['--config a --config b', { config: ['a', 'b'] }],
    [
      '--dapr-listen-addresses 127.0.0.1,[::1]',
      { 'dapr-listen-addresses': ['127.0.0.1', '[::1]'] },
    ],
    ['--max-body-size 4Mi', { 'max-body-size': 4_194_304 }],
    ['--max-body-size 4194304', { 'max-body-size': 4_194_304 }],
    ['--max-body-size 1.5k', { 'max-body-size': 1_500 }],
    ['--max-body-size -1', { 'max-body-size': -1 }],
    ['--read-buffer-size=4Ki', { 'read-buffer-size': 4_096 }],
    ['--app-max-concurrency -1', { 'app-max-concurrency': -1 }],
    ['--app-port 0', { 'app-port': 0 }],
    ['--dapr-internal-grpc-port=', { 'dapr-internal-grpc-port': 0 }],
    ['--hot-reload-reconcile-interval 1m30s', { 'hot-reload-reconcile-interval': 90_000 }],
  ];
  for (const [line, expected] of read) {
    test(`reads \`${line}\``, () => {
      const { values } = parseFlags(HOLDFASTD_FLAGS, line.split(' '), DAEMON);
      assert.deepEqual(Object.fromEntries(values), expected);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ['--app-prot 1', 'Unknown flag --app-prot; did you mean --app-port?'],
    ['-dapr-htpt-port 1', 'Unknown flag -dapr-htpt-port; did you mean --dapr-http-port?'],
    ['--xyzzy', 'Unknown flag --xyzzy; see --help for those there are'],
    [
      '--app-port 65536',
      '--app-port must be a port from 1 to 65535, or 0 for any free one, not "65536".',
    ],
    ['--app-port x', '--app-port must be a port from 1 to 65535, or 0 for any free one, not "x".'],
    ['--app-id', '--app-id needs a value.'],
    [
      '--max-body-size 4MB',
      '--max-body-size must be a size such as 4Mi, 500k or 4194304, not "4MB".',
    ],
    ['--enable-metrics=perhaps', '--enable-metrics must be true or false, not "perhaps".'],
    [
      '--log-level loud',
      '--log-level must be one of debug, info, warn, warning, error, fatal, panic, not "loud".',
    ],
    ['--app-id a extra', '"extra" is no flag; only flags may be given here.'],
  ];
  for (const [line, message] of refused) {
    test(`refuses \`${line}\` with the remedy`, () => {
      assert.throws(() => parseFlags(HOLDFASTD_FLAGS, line.split(' '), DAEMON), { message });
    });
  }

  test('says which of daprd’s flags it accepts without effect, and which are old', () => {
    const line = ['--enable-profiling', '--components-path', 'c'];
    const { notes } = parseFlags(HOLDFASTD_FLAGS, line, DAEMON);
    assert.deepEqual(notes, [
      "--enable-profiling has no effect: use Node's --cpu-prof or --inspect.",
      '--components-path is deprecated; use --resources-path.',
    ]);
  });
});

describe('the flags of holdfast run', () => {
  test('come in dapr run’s letters, joined to their values or not, up to the command', () => {
    const line =
      '-a orders -p3000 -H=3500 -G 50001 -I 50002 -M 9090 -P http -c conf.yaml -d res -- node app.js -p 1';
    const { values, rest } = parseFlags(RUN_FLAGS, line.split(' '), { rest: true });
    assert.deepEqual(
      [Object.fromEntries(values), rest],
      [
        {
          'app-id': 'orders',
          'app-port': 3_000,
          'dapr-http-port': 3_500,
          'dapr-grpc-port': 50_001,
          'dapr-internal-grpc-port': 50_002,
          'metrics-port': 9_090,
          'app-protocol': 'http',
          config: 'conf.yaml',
          'resources-path': ['res'],
        },
        ['node', 'app.js', '-p', '1'],
      ],
    );
  });

  test('leave a word after a boolean to the command', () => {
    const { values, rest } = parseFlags(RUN_FLAGS, ['--enable-api-logging', 'true'], {
      rest: true,
    });
    assert.deepEqual([values.get('enable-api-logging'), rest], [true, ['true']]);
  });
});

test('no table names a flag or a letter twice', () => {
  const repeated = (table: readonly Flag[]) => {
    const words = table.flatMap(({ name, letter }) =>
      letter === undefined ? [name] : [name, letter],
    );
    return words.filter((word, index) => words.indexOf(word) !== index);
  };
  assert.deepEqual([repeated(HOLDFASTD_FLAGS), repeated(RUN_FLAGS)], [[], []]);
});
