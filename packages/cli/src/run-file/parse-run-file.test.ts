import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRunFile } from './parse-run-file.ts';
import type { RunFileError } from './run-file-error.ts';

describe('a run file', () => {
  test('is read whole: apps, what they share, and the processes beside them', () => {
    const { runFile: read } = parseRunFile(
      `version: 1
name: shop
common:
  resourcesPaths: [./resources, ~/more]
  env: { PORT: 8080, DEBUG: true, ZIP: 01234 }
  appLogDestination: console
apps:
  - appDirPath: ./orders
    appPort: 3000
    command: [node, app.js, 1]
    configFilePath: own.yaml
    restart: on-failure
    needs: [db]
  - appDirPath: ./stock
    appID: stock-service
holdfast:
  processes:
    - name: db
      role: database
      command: [postgres]
      ports: { sql: 5432 }
      ready: { tcp: 5432 }
      readyTimeoutMs: 500
`,
      '/shop/dapr.yaml',
      '/home/me',
    );
    assert.deepEqual(read, {
      path: '/shop/dapr.yaml',
      dir: '/shop',
      version: 1,
      name: 'shop',
      common: {
        resourcesPaths: ['/shop/resources', '/home/me/more'],
        env: { PORT: '8080', DEBUG: 'true', ZIP: '01234' },
        appLogDestination: 'console',
      },
      apps: [
        {
          appID: 'orders',
          appDirPath: '/shop/orders',
          appPort: 3000,
          command: ['node', 'app.js', '1'],
          configFilePath: '/shop/orders/own.yaml',
          restart: 'on-failure',
          needs: ['db'],
        },
        { appID: 'stock-service', appDirPath: '/shop/stock' },
      ],
      holdfast: {
        processes: [
          {
            name: 'db',
            role: 'database',
            command: ['postgres'],
            ports: { sql: 5432 },
            ready: { tcp: 5432 },
            readyTimeoutMs: 500,
          },
        ],
      },
    });
  });

  test('is read as pages of Dapr write it: protocols in capitals, paths with commas, sizes of before', () => {
    const { runFile: read } = parseRunFile(
      `version: 1
common: { resourcesPaths: ".dapr/resources, ./more", daprHTTPReadBufferSize: 16 }
apps: [{ appDirPath: ., appID: a, appProtocol: GRPC, daprHTTPMaxRequestSize: 32 }]
`,
      '/shop/dapr.yaml',
      '/home/me',
    );
    assert.deepEqual(
      [read.common, read.apps],
      [
        { resourcesPaths: ['/shop/.dapr/resources', '/shop/more'], daprHTTPReadBufferSize: 16 },
        [{ appDirPath: '/shop', appID: 'a', appProtocol: 'grpc', daprHTTPMaxRequestSize: 32 }],
      ],
    );
  });

  const wrong: readonly (readonly [what: string, text: string, problems: readonly string[]])[] = [
    [
      'that is not YAML',
      'version: 1\napps: [\n',
      [
        '3:1 yaml: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    ],
    ['that is empty', '', ['1:1 wrong-type: a run file must be a mapping of keys to values.']],
    [
      'of another version, without apps',
      'version: 2\napps: []\n',
      [
        '1:10 version: version must be 1, not 2.',
        '2:7 no-apps: apps is empty; name at least one app to run.',
      ],
    ],
    [
      'with an unknown key',
      'version: 1\napps:\n  - appDirPath: a\n    appPrt: 80\n',
      ['4:5 unknown-key: an app has no key `appPrt`; did you mean `appPort`?'],
    ],
    [
      'with wrong types',
      'version: 1\napps:\n  - appDirPath: a\n    appPort: 99999\n    command: node\n    appProtocol: tcp\n',
      [
        '4:14 wrong-type: `appPort` must be a port from 1 to 65535, or 0 for any.',
        '5:14 wrong-type: `command` must be a list of texts.',
        '6:18 wrong-type: `appProtocol` must be one of `http`, `https`, `grpc`, `grpcs`, `h2c`, not `tcp`.',
      ],
    ],
    [
      'with an app that says where nothing is',
      'version: 1\napps:\n  - appID: a\n',
      ['3:5 missing-key: an app needs the key `appDirPath`.'],
    ],
    [
      'with one app id twice',
      'version: 1\napps:\n  - appDirPath: a\n  - appDirPath: b\n    appID: a\n',
      ['5:12 duplicate-app-id: appID "a" is there twice; names must differ.'],
    ],
    [
      'with one port twice',
      'version: 1\napps:\n  - {appDirPath: a, appPort: 80}\n  - {appDirPath: b, daprHTTPPort: 80}\n',
      [
        '4:35 duplicate-port: Port 80 is asked for by app "a" (appPort) and by app "b" (daprHTTPPort); give one of them another.',
      ],
    ],
    [
      'whose apps wait for what is not there, or for each other',
      'version: 1\napps:\n  - {appDirPath: a, needs: [c, b]}\n  - {appDirPath: b, needs: [a, bb]}\n',
      [
        '3:28 unknown-need: "a" needs "c", which is not in this file.',
        '3:28 circular-need: "a" needs itself, directly or through others; it would never start.',
        '4:28 unknown-need: "b" needs "bb", which is not in this file; did you mean `b`?',
        '4:28 circular-need: "b" needs itself, directly or through others; it would never start.',
      ],
    ],
    [
      'with two kinds of readiness',
      'version: 1\napps: [{appDirPath: a}]\nholdfast:\n  processes:\n    - {name: d, role: broker, command: [x], ready: {tcp: 1, http: y}}\n',
      ['5:52 ready: ready must have exactly one of `tcp`, `http` and `file`.'],
    ],
    [
      'with processes that have no name, one of which needs what is not there',
      'version: 1\napps: [{appDirPath: a}]\nholdfast:\n  processes:\n    - {role: broker, command: [x], needs: [b]}\n    - {role: broker, command: [x]}\n',
      [
        '5:7 missing-key: a process needs the key `name`.',
        '6:7 missing-key: a process needs the key `name`.',
      ],
    ],
    [
      'with two documents',
      'version: 1\n---\nversion: 1\n',
      ['2:1 yaml: A run file is one document; remove this `---` and what follows it.'],
    ],
    [
      'with one key twice',
      'version: 1\nversion: 1\napps: [{appDirPath: a}]\n',
      ['2:1 yaml: This key is there twice; remove one of them.'],
    ],
  ];
  for (const [what, text, problems] of wrong) {
    test(`${what} is refused with line, column and rule`, () => {
      assert.deepEqual(problemsOf(text), problems);
    });
  }

  test('is read with its aliases and merges in place, what is written before what is merged', () => {
    const { runFile } = parseRunFile(
      `version: 1
common:
  env: &env { A: '1', B: '2' }
apps:
  - &first { appDirPath: a, logLevel: debug, appPort: 1, env: *env, command: &run [node, app.js] }
  - { appDirPath: b, command: *run, env: { <<: *env, B: '3' } }
  - { <<: [{ appPort: 2 }, *first], appDirPath: c }
`,
      '/dapr.yaml',
    );
    assert.deepEqual(runFile.apps, [
      {
        appID: 'a',
        appDirPath: '/a',
        logLevel: 'debug',
        appPort: 1,
        env: { A: '1', B: '2' },
        command: ['node', 'app.js'],
      },
      { appID: 'b', appDirPath: '/b', command: ['node', 'app.js'], env: { A: '1', B: '3' } },
      {
        appID: 'c',
        appDirPath: '/c',
        logLevel: 'debug',
        appPort: 2,
        env: { A: '1', B: '2' },
        command: ['node', 'app.js'],
      },
    ]);
  });

  test('with an alias within what it stands for is refused', () => {
    const endless = ['[*a]', '[{ <<: *a, appDirPath: b }]', '[&b [*a]]', '{ *a : 1 }'];
    for (const apps of endless) {
      const [problem = ''] = problemsOf(`version: 1\napps: &a ${apps}\n`);
      assert.match(problem, /^2:\d+ aliases: `\*a` stands within what it stands for\.$/, apps);
    }
  });

  test('of aliases of aliases is refused before it fills the memory', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`,
    );
    const [problem] = problemsOf(`l0: &l0 x\n${levels.join('\n')}\n`);
    assert.match(problem!, /^1:1 aliases: Excessive alias count/);
  });
});

function problemsOf(text: string): readonly string[] {
  try {
    parseRunFile(text, '/dapr.yaml');
    return [];
  } catch (error) {
    return (error as RunFileError).problems.map(
      ({ line, column, rule, message }) => `${line}:${column} ${rule}: ${message}`,
    );
  }
}
