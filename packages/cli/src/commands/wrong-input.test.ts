import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBench } from '../testing/run-bench.ts';

const HINT = '(`holdfast --help` lists the commands, `holdfast COMMAND --help` what one takes.)\n';
const STORE = 'It is the one that the service gives to sqliteStore({ path }).\n';
const NO_POLICIES = 'no .yaml or .yml file says kind: Resiliency.\n';

/** What is typed, the status, and what is said on standard error. */
const WRONG: readonly (readonly [args: readonly string[], status: number, said: string])[] = [
  [['frob'], 2, `error: unknown command 'frob'\n${HINT}`],
  [
    ['init', '--slim', '-k'],
    2,
    'holdfast: `init` is a command of dapr and not of holdfast: there is nothing to install; `holdfast run` starts sidecars, and --resources-path names the files of servers that you have.\n',
  ],
  [
    ['mtls', 'expiry'],
    2,
    'holdfast: `mtls` is a command of dapr and not of holdfast: `holdfast ca` makes and renews certificates.\n',
  ],
  [['stop', '-f', '.'], 1, 'holdfast: There is no run of ".". Nothing else is running.\n'],
  [['check', '--frob', 'x'], 2, `error: unknown option '--frob'\n${HINT}`],
  [
    ['ps', 'more'],
    2,
    'holdfast: `holdfast ps` lists a whole run, named by --run more; `holdfast list` those of all.\n',
  ],
  [['stop', 'auth'], 1, 'holdfast: No app "auth" is running. No app is.\n'],
  [['stop', '--app-id', ''], 2, 'holdfast: --app-id is empty; give it a value, or leave it out.\n'],
  [['list', '-o', 'xml'], 2, 'holdfast: --output can be table, json, yaml, not "xml".\n'],
  [['explain', 'nothing.yaml', '-app', 'a'], 2, 'holdfast: -app has one dash; write --app.\n'],
  [['check', '-strict', 'nothing.yaml'], 2, 'holdfast: -strict has one dash; write --strict.\n'],
  [
    ['check', ''],
    2,
    'holdfast: An argument of `holdfast check` (paths) is empty; leave it out, or name what is meant.\n',
  ],
  [['check', 'folder'], 1, `holdfast: no policies in folder: ${NO_POLICIES}`],
  [['check', 'nothing.yaml'], 1, `holdfast: no policies in nothing.yaml: ${NO_POLICIES}`],
  [
    ['explain', 'nothing.yaml', '--app', ''],
    2,
    'holdfast: --app is empty; give it a value, or leave it out.\n',
  ],
  [
    ['explain', 'latin.yaml', '--app', 'a'],
    1,
    'latin.yaml:2:7 error not-utf8: is not UTF-8; it may be Latin-1.\n',
  ],
  [['run', '-f', ''], 2, 'holdfast: -f is empty; name a run file, or the folder it is in.\n'],
  [
    ['run', '-f', 'latin.yaml'],
    1,
    'latin.yaml:2:7 error not-utf8: A run file must be UTF-8; it may be Latin-1.\n',
  ],
  [
    ['run', '-f', 'folder'],
    1,
    'folder:1:1 error no-run-file: There is no dapr.yaml or dapr.yml in this folder.\n',
  ],
  [
    ['run', '--app-id', '', '--', 'true'],
    2,
    'holdfast: --app-id must be 1 to 128 letters, digits, `_` and `-`, not "".\n',
  ],
  [
    ['run', '--app-id', 'a', '--', ''],
    2,
    'holdfast: The command after -- is empty; name a program.\n',
  ],
  [['ca', 'init', '--dir', ''], 2, 'holdfast: --dir is empty; give it a value, or leave it out.\n'],
  [
    ['ca', 'init', '--dir', 'nothing.yaml'],
    1,
    'holdfast: DIR/nothing.yaml/ca.key cannot be written (EEXIST); --dir must be a folder, there or to be made, that this user may write to.\n',
  ],
  [
    ['ca', 'renew'],
    1,
    'holdfast: DIR/certs/issuer.crt is not there; `holdfast ca init` makes an authority.\n',
  ],
  [
    ['dead', 'list', '--store', ''],
    2,
    'holdfast: --store is empty; give it a value, or leave it out.\n',
  ],
  [['dead', 'list', '--store', 'folder'], 2, `holdfast: --store folder: that is no file. ${STORE}`],
  [
    ['dead', 'list', '--store', 'nothing.yaml'],
    2,
    `holdfast: --store nothing.yaml: that file is empty. ${STORE}`,
  ],
];

test('input that cannot be meant is refused with its place, the remedy and a status', async (t) => {
  const bench = await openBench(t, { 'nothing.yaml': '' });
  await mkdir(join(bench.dir, 'folder'));
  await writeFile(
    join(bench.dir, 'latin.yaml'),
    Buffer.from('# in Latin-1:\nname: \xe9t\xe9\n', 'latin1'),
  );

  const told = await Promise.all(
    WRONG.map(async ([args]) => {
      const { status, err } = await bench.holdfast(...args).done;
      return [args, status, err.replaceAll(bench.dir, 'DIR')];
    }),
  );

  assert.deepEqual(told, WRONG);
  assert.deepEqual(await bench.leftovers(), []);
});

test('what is wrong is told to nobody where nobody reads it, and the status says it all the same', async () => {
  const main = fileURLToPath(new URL('../holdfast-main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', main, 'check', '--frob']);
  child.stdout.destroy();
  child.stderr.destroy();
  const [status] = await once(child, 'exit');

  assert.equal(status, 2);
});

test('explain tells of a method what its own entry says', async (t) => {
  const bench = await openBench(t, {
    'resiliency.yaml': `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: shop }
spec:
  policies:
    timeouts: { fast: 500ms, slow: 5s }
  targets:
    apps:
      stock: { timeout: fast, methods: { 'POST /orders/*': { timeout: slow } } }
`,
  });
  const explain = async (method: string) =>
    (await bench.holdfast('explain', '.', '--app', 'stock', '--method', method).done).out;

  const { out: misspelt } = await bench.holdfast('explain', '.', '--app', 'stok').done;
  const [own, other] = await Promise.all([explain('POST orders/1'), explain('orders/1')]);

  assert.match(own, /says \(methods: POST \/orders\/\*\):\n.*at most 5000 ms/);
  assert.match(misspelt, /is not named under targets \(did you mean "stock"\?\):\n/);
  assert.match(other, /says:\n.*at most 500 ms/);
});
