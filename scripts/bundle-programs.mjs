import { copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cli = join(root, 'packages', 'cli');

/**
 * Writes our two programs and the chunks that they load when asked for into a folder called `dist`, in place
 * of what is there. A package in CommonJS that is imported when asked for has its names on `default` alone.
 */
export async function bundlePrograms(outdir) {
  const { build } = await import('esbuild');
  rmSync(outdir, { recursive: true, force: true });
  await build({
    // From wherever it is called, what is built is the same.
    absWorkingDir: root,
    entryPoints: [join(cli, 'src/holdfast-main.ts'), join(cli, 'src/holdfastd-main.ts')],
    outdir,
    bundle: true,
    // What only some runs need stays in chunks of its own, loaded when asked for.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    conditions: ['source'],
    // An exporter of OpenTelemetry's asks for it by `require` as well: there must not be two of it.
    external: ['@grpc/grpc-js'],
    // Dependencies in CommonJS ask for `require`.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  copyFileSync(wasmOfKafka(), join(outdir, 'native.wasm'));
}

/** The client of Kafka reads it when it is loaded, as `../dist/native.wasm` beside its own code: the chunk. */
function wasmOfKafka() {
  const sidecar = createRequire(join(cli, '..', 'sidecar', 'package.json'));
  const kafka = createRequire(sidecar.resolve('@platformatic/kafka'));
  return join(dirname(kafka.resolve('@platformatic/wasm-utils')), 'native.wasm');
}
