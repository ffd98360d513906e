/**
 * `npm run build [-- core …]`: each package, or those named, as ESM with declarations in its `dist/`, in the
 * order of the layers, so that every package is checked against what its users
 * will install and not against its neighbours' sources.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules', '.cache', 'holdfast-build');
const ALL = ['core', 'config', 'telemetry', 'http', 'messaging', 'drill', 'sidecar', 'cli'];
const asked = process.argv.slice(2);
const packages = asked.length > 0 ? ALL.filter((name) => asked.includes(name)) : ALL;

mkdirSync(cache, { recursive: true });
for (const name of packages) {
  const folder = join(root, 'packages', name);
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const project = join(cache, `${name}.json`);
  writeFileSync(project, JSON.stringify(projectOf(folder)));
  const { status } = spawnSync('tsc', ['-p', project], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
  // npm packs the licence that lies in the package's own folder, and only that.
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  console.log(`built packages/${name}/dist`);
}

function projectOf(folder: string) {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      customConditions: [],
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(folder, 'src'),
      outDir: join(folder, 'dist'),
      typeRoots: [join(root, 'node_modules', '@types')],
    },
    // What is for users of the package among what is for tests: a virtual clock, the contract suites.
    files: sourcesOf(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports).map(
      (source) => join(folder, source),
    ),
    include: [join(folder, 'src')],
    // Tests and their scenes: these need the package built, our test servers, or frameworks that users need not have.
    exclude: ['src/**/*.test.ts', 'src/**/testing/**', 'src/**/*-process.ts'].map((glob) =>
      join(folder, glob),
    ),
  };
}

/** Every module that a manifest's `exports` names by its source. */
function sourcesOf(exports: unknown): string[] {
  if (typeof exports !== 'object' || exports === null) return [];
  return Object.entries(exports).flatMap(([condition, value]) =>
    condition === 'source' && typeof value === 'string' ? [value] : sourcesOf(value),
  );
}
