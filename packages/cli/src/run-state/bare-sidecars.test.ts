import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareSidecars } from './bare-sidecars.ts';

const found = (args: readonly string[], { home = '', recorded = [] as readonly number[] } = {}) =>
  bareSidecars(
    [{ pid: 7, args, startedWallMs: 5, variable: () => home }],
    new Set(recorded),
    undefined,
  );

test('a sidecar is known by its program or its script, with the ports of its flags or of daprd', () => {
  const usual = { httpPort: 3_500, grpcPort: 50_001, appPort: 0, metricsEnabled: true };
  const one = { pid: 7, appId: 'a', ...usual, startedWallMs: 5 };
  assert.deepEqual(found(['/usr/bin/holdfastd', '-app-id', 'a']), [one]);
  const node = ['/opt/node', '--conditions=source', '/x/bin/holdfastd.mjs'];
  assert.deepEqual(found([...node, '--app-id=a', '--dapr-http-port', '-1']), [
    { ...one, httpPort: 0 },
  ]);
  assert.deepEqual(found([...node, '--app-id=a', '--unix-domain-socket', '/s', '-p', '80']), []);
  assert.deepEqual(found([...node, '--app-id=a', '--unix-domain-socket', '/s', '-app-port=80']), [
    { ...one, httpPort: 0, grpcPort: 0, appPort: 80 },
  ]);
});

test('what only mentions one, asks it something or belongs to others is none', () => {
  const flags = ['--app-id', 'a'];
  for (const args of [
    ['sh', '-c', 'holdfastd --app-id a'],
    ['vim', 'holdfastd.mjs'],
    ['node', 'app.mjs', 'holdfastd', ...flags],
    ['holdfastd', '--wait', ...flags],
    ['holdfastd'],
    ['holdfastd', '--no-such-flag', ...flags],
    ['node'],
    [],
  ]) {
    assert.deepEqual(found(args), [], args.join(' '));
  }
  assert.deepEqual(found(['holdfastd', ...flags], { recorded: [7] }), []);
  assert.deepEqual(found(['holdfastd', ...flags], { home: '/elsewhere' }), []);
});
