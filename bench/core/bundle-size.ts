import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes of `code` with all that it imports, minified and gzipped. */
export async function bundleBytes(code: string): Promise<number> {
  const { outputFiles } = await bundle(code);
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength;
}

/** The `most` largest modules of that bundle and their minified bytes, before gzip: where to look for savings. */
export async function moduleBytes(
  code: string,
  most: number,
): Promise<ReadonlyArray<readonly [module: string, bytes: number]>> {
  const { metafile } = await bundle(code);
  const { inputs } = Object.values(metafile.outputs)[0]!;
  return Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => [path.split('/src/').at(-1)!, bytesInOutput] as const)
    .sort(([, a], [, b]) => b - a)
    .slice(0, most);
}

const bundle = (code: string) =>
  build({
    stdin: { contents: code, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    conditions: ['source'],
  });
