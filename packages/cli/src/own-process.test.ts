import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgetSidecarEnv, sidecarEnv, sidecarNodeFlags } from '../bin/sidecar-node.mjs';
import { sidecarCommand } from './own-process.ts';

test('a sidecar is started by a Node that knows all its flags', () => {
  const [node, ...args] = sidecarCommand();
  const flags = args.slice(0, -1);
  assert.ok(sidecarNodeFlags().every((flag) => flags.includes(flag)));
  assert.equal(execFileSync(node!, [...flags, '-p', '6 * 7'], { encoding: 'utf8' }), '42\n');
});

test('a flag that somebody has given another value stays as it was given', () => {
  const all = sidecarNodeFlags();
  const left = sidecarNodeFlags(
    ['--max_semi_space_size=16', '--maglev-destroy-on-background'],
    '--heap-growing-percent=300 --enable-source-maps',
  );
  assert.deepEqual(
    all.filter((flag) => !left.includes(flag)),
    ['--max-semi-space-size=4', '--no-maglev-destroy-on-background', '--heap-growing-percent=60'],
  );
  assert.deepEqual(sidecarNodeFlags(all), []);
});

test('a Node that only starts another one hands its own flags on', () => {
  const module = new URL('../bin/brought-node.mjs', import.meta.url).href;
  const program = `
    import { runUnder } from ${JSON.stringify(module)};
    const { env, execArgv, execPath } = process;
    if (env.INNER === 'yes') console.log(JSON.stringify(execArgv.filter((flag) => /space/.test(flag))));
    else {
      env.INNER = 'yes';
      await runUnder(execPath);
    }`;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-launch-'));
  try {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, program);
    const said = execFileSync(process.execPath, ['--max-semi-space-size=2', file], {
      encoding: 'utf8',
    });
    assert.equal(said, '["--max-semi-space-size=2"]\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a V8 of which we know nothing gets what has always been there', () => {
  assert.deepEqual(sidecarNodeFlags([], '', '15.1.2'), [
    '--max-semi-space-size=4',
    '--no-parallel-scavenge',
  ]);
});

test('the allocator is told to keep no thread its own, and components do not see it', () => {
  const env: Record<string, string | undefined> = { ...sidecarEnv({ TOKEN: 'secret' }) };
  assert.equal(env.MALLOC_ARENA_MAX, '1');
  forgetSidecarEnv(env);
  assert.deepEqual(env, { TOKEN: 'secret' });
});

test('who has told the allocator something else is not contradicted, and it stays where it was', () => {
  for (const chosen of [
    { MALLOC_ARENA_MAX: '4' },
    { GLIBC_TUNABLES: 'glibc.malloc.arena_max=2:glibc.malloc.check=1' },
  ]) {
    const env: Record<string, string | undefined> = { ...sidecarEnv(chosen) };
    assert.deepEqual(env, chosen);
    forgetSidecarEnv(env);
    assert.deepEqual(env, chosen);
  }
});
