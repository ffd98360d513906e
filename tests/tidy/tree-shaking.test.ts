import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const CORE = fileURLToPath(new URL('../../packages/core/src', import.meta.url));

test('a bundle of one policy of core has no other policy in it', async () => {
  for (const policy of ['retry', 'timeout', 'bulkhead', 'throttle', 'fallback', 'shed']) {
    const { modules } = await bundle(`export { pipeline, ${policy} } from './index.ts'`);
    // Each has a file of its own name, in which its stage is.
    const policies = modules.filter((module) => /^([^/]+)\/\1\.ts$/.test(module));
    assert.deepEqual(
      policies.filter((module) => module !== 'explain/explain.ts'),
      [`${policy}/${policy}.ts`],
    );
  }
});

test('importing core does next to nothing, also for bundlers that do not read what its manifest promises', async () => {
  const { bytes, modules } = await bundle(`import './index.ts'`, true);
  // A few numbers, and `then` as it was before anybody could change it.
  assert.ok(bytes < 150, `${bytes} bytes: ${modules}`);
});

const UNBELIEVING: Plugin = {
  name: 'unbelieving',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path),
      sideEffects: true,
    })),
};

/** What is left of `contents`; `unbelieving`: whatever the manifest says, a module may do something. */
async function bundle(contents: string, unbelieving = false) {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: CORE, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    logLevel: 'error',
    plugins: unbelieving ? [UNBELIEVING] : [],
  });
  const { inputs } = Object.values(metafile.outputs)[0]!;
  const modules = Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path.split('packages/core/src/')[1] ?? '')
    .filter((module) => module !== '');
  return { bytes: outputFiles[0]!.contents.byteLength, modules };
}
